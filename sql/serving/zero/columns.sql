-- The tables that a client can sync: those of app and analytics in a publication, or all of app and the link tables.
-- Tables without a primary key cannot be synced; generated columns, and partitions as tables, are not replicated.
-- in:  %(publication)s: its name, or null; %(links)s: the link tables
-- out: one row per column: schema_name, table_name, column_name, type_name (or enum), is_array, is_nullable, primary_key (names)
select
    class.relnamespace::regnamespace::text as schema_name,
    class.relname::text as table_name,
    attribute.attname::text as column_name,
    case when base.typtype = 'e' then 'enum' else base.typname::text end as type_name,
    base.oid <> type.oid as is_array,
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
    and attribute.attgenerated = ''
inner join pg_type as type on type.oid = attribute.atttypid
inner join pg_type as base on base.oid = case when type.typcategory = 'A' then type.typelem else type.oid end
left join pg_publication_tables as published
    on published.pubname = %(publication)s::text
    and published.schemaname = class.relnamespace::regnamespace::text and published.tablename = class.relname
where class.relkind in ('r', 'p')
    and class.relnamespace in ('app'::regnamespace, 'analytics'::regnamespace)
    and case
        when %(publication)s::text is not null then attribute.attname = any(published.attnames)
        when class.relnamespace = 'app'::regnamespace then
            class.relname not like 'schema\_migration%%' and not class.relispartition and class.relpersistence = 'p'
        else class.relname = any(%(links)s::text[])
    end
order by schema_name desc, table_name, attribute.attnum;
