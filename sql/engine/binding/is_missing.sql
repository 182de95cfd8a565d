-- Whether a view was dropped with a table that it read.
-- in:  %(view)s
-- out: one row: is_missing
select to_regclass(%(view)s) is null as is_missing;
