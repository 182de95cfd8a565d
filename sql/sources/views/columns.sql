-- The columns of a table or view.
-- in:  %(oid)s
-- out: one row: types (jsonb: the type of each), written (those that may be), exact (those whose values are read from their text
--      as they were, whatever the settings)
select
    jsonb_object_agg(attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)) as types,
    array_agg(attribute.attname::text) filter (where attribute.attgenerated = '' and attribute.attidentity <> 'a') as written,
    coalesce(
        array_agg(attribute.attname::text) filter (
            where type.typtype = 'e'
                or type.typname in ('bool', 'int2', 'int4', 'int8', 'numeric', 'oid', 'text', 'uuid', 'varchar')
                and type.typnamespace = 'pg_catalog'::regnamespace
        ), array[]::text[]
    ) as exact
from pg_attribute as attribute
inner join pg_type as own on own.oid = attribute.atttypid
inner join pg_type as type on type.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
where attribute.attrelid = %(oid)s::oid and attribute.attnum > 0 and not attribute.attisdropped;
