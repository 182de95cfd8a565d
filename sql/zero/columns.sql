-- The tables a client may sync: all of app, and the link tables. Those without a primary key cannot be.
-- in:  %(links)s: the link tables
-- out: one row per column: schema_name, table_name, column_name, type_name, is_array, is_nullable, primary_key (names)
select
    class.relnamespace::regnamespace::text as schema_name,
    class.relname::text as table_name,
    attribute.attname::text as column_name,
    coalesce(element.typname, type.typname)::text as type_name,
    element.oid is not null as is_array,
    not attribute.attnotnull as is_nullable,
    (
        select array_agg(key.attname::text order by place)
        from unnest(i.indkey::int2[]) with ordinality as column_of (attnum, place)
        inner join pg_attribute as key on key.attrelid = class.oid and key.attnum = column_of.attnum
    ) as primary_key
from pg_class as class
inner join pg_index as i on i.indrelid = class.oid and i.indisprimary
inner join pg_attribute as attribute
    on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
inner join pg_type as type on type.oid = attribute.atttypid
left join pg_type as element on element.oid = type.typelem and type.typcategory = 'A'
where class.relkind in ('r', 'p')
    and class.relname <> 'schema_migrations'
    and (
        class.relnamespace = 'app'::regnamespace
        or class.relnamespace = 'analytics'::regnamespace and class.relname = any(%(links)s::text[])
    )
order by schema_name desc, table_name, attribute.attnum;
