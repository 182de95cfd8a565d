-- The columns of a table that the lake has.
-- in:  %(relation)s: as schema.table; %(left_out)s: names
-- out: a row per column, in order: name, number, type, description
select
    attname as name,
    attnum as number,
    typname as type,
    col_description(attrelid, attnum) as description
from pg_attribute
inner join pg_type on pg_type.oid = atttypid
where attrelid = to_regclass(%(relation)s) and attnum > 0 and not attisdropped and attname <> all(%(left_out)s::text[])
order by attnum;
