-- What the catalog says of a histories table.
-- in:  %(table_name)s: unquoted, in schema app
-- out: one row, none if there is no such relation: columns (jsonb: name to type), has_time_index
select
    (
        select jsonb_object_agg(attname, format_type(atttypid, null)) from pg_attribute
        where attrelid = class.oid and attnum > 0 and not attisdropped
    ) as columns,
    class.relkind in ('v', 'f') or exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = class.oid and i.indisvalid and i.indpred is null and a.attname = 'created_at'
    ) as has_time_index
from pg_class as class
where class.oid = to_regclass(format('app.%%I', %(table_name)s::text)) and class.relkind in ('r', 'p', 'v', 'm', 'f');
