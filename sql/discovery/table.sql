-- What the catalog says of a histories table.
-- in:  %(table_name)s: unquoted, in schema app
-- out: one row, none if there is no such table: columns (jsonb: name to type), has_time_index, sequence_cache
select
    (
        select jsonb_object_agg(attname, format_type(atttypid, null)) from pg_attribute
        where attrelid = class.oid and attnum > 0 and not attisdropped
    ) as columns,
    exists (
        select from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = class.oid and i.indisvalid and i.indpred is null and a.attname = 'created_at'
    ) as has_time_index,
    (
        select seqcache from pg_sequence
        where seqrelid = pg_get_serial_sequence(format('app.%%I', class.relname), 'id')::regclass
    ) as sequence_cache
from pg_class as class
where class.oid = to_regclass(format('app.%%I', %(table_name)s::text)) and class.relkind in ('r', 'p');
