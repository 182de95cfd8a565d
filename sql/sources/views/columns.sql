-- The columns of a table.
-- in:  %(oid)s
-- out: one row: types (jsonb: the type of each), written (those that may be)
select
    jsonb_object_agg(attname, format_type(atttypid, atttypmod)) as types,
    array_agg(attname::text) filter (where attgenerated = '' and attidentity <> 'a') as written
from pg_attribute
where attrelid = %(oid)s::oid and attnum > 0 and not attisdropped;
