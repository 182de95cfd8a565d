-- Whether a row was to change, but could not be locked.
-- in:  free: the rows that could be locked; {same_key}
diff.change in ('updated', 'deleted', 'seen') and not exists (select from free as target where {same_key})
