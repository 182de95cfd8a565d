-- The columns of a table, from the catalog.
-- in:  %(relation)s: as schema.table
-- out: one row per column, in order: name, type, description, is_nullable, is_unique (by itself)
select
    attribute.attname as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    col_description(class.oid, attribute.attnum) as description,
    not attribute.attnotnull as is_nullable,
    exists(
        select from pg_index
        where pg_index.indrelid = class.oid
            and pg_index.indisunique
            and pg_index.indpred is null
            and pg_index.indnkeyatts = 1
            and pg_index.indkey[0] = attribute.attnum
    ) as is_unique
from pg_class as class
inner join pg_attribute as attribute
    on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
where class.oid = to_regclass(%(relation)s)
order by attribute.attnum;
