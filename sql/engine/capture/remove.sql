-- Drops the triggers of a table.
-- in:  %(table_oid)s
select analytics.release(%(table_oid)s::oid::regclass);
