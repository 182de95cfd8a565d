-- The columns of a table that a refresh computes, with their types.
-- in:  %(relation)s; %(names)s: their names
-- out: one row per column, in their order: name, type
select
    attname::text as name,
    format_type(atttypid, atttypmod) as type
from pg_attribute
where attrelid = %(relation)s::regclass and attname = any(%(names)s::text[])
order by attnum;
