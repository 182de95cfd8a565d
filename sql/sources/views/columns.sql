-- The columns of a table that may be written.
-- in:  %(oid)s
-- out: one row: types (jsonb: the type of each)
select jsonb_object_agg(attname, format_type(atttypid, atttypmod)) as types
from pg_attribute
where attrelid = %(oid)s::oid and attnum > 0 and not attisdropped and attgenerated = '' and attidentity <> 'a';
