-- Locks the rows of the application that new rows refer to by one column. Rows whose parent another session has locked, or
-- deleted, are left for the next tick.
-- in:  diff; {free_parents}: the ids that could be locked, as {free}; {is_locked}: whether one could not
with {free} as materialized (
{free_parents}
)

update diff
set change = 'locked'
where {is_locked};
