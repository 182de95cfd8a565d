-- The number of rows of a table, unless it is so large that counting takes long.
-- in:  {relation}; %(name)s: the same, as schema.table; %(largest)s: bytes of the largest table that is counted
-- out: one row: rows (null: the table is larger)
select case when pg_relation_size(%(name)s::regclass) <= %(largest)s then (select count(*) from {relation}) end as rows;
