-- Creates the triggers of a table.
-- in:  %(table_oid)s
select analytics.capture(%(table_oid)s::oid::regclass);
