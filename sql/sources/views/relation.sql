-- A relation, and its definition if it is a view. Names in it are qualified if the search path is empty.
-- in:  %(relation)s
-- out: one row: oid; name (quoted); schema_name; relation_name; is_table; definition (null: it is no view)
select
    class.oid::bigint,
    format('%%I.%%I', schema.nspname, class.relname) as name,
    schema.nspname::text as schema_name,
    class.relname::text as relation_name,
    class.relkind in ('r', 'p') as is_table,
    case when class.relkind = 'v' then pg_get_viewdef(class.oid) end as definition
from pg_class as class
inner join pg_namespace as schema on schema.oid = class.relnamespace
where class.oid = %(relation)s::regclass;
