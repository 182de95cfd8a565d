-- name: foreign_keys
-- The single-column foreign keys between tables of app, and the references of analytics to app, with or without a foreign key.
-- Also a conversation's lead and customer, even without a foreign key, if app.leads and app.customers have such a primary key.
-- out: table_name, column_name, target_table, target_column
select
    source.relname::text as table_name,
    source_column.attname::text as column_name,
    target.relname::text as target_table,
    target_column.attname::text as target_column
from pg_constraint as constraint_
inner join pg_class as source on source.oid = constraint_.conrelid
inner join pg_class as target on target.oid = constraint_.confrelid
inner join pg_attribute as source_column
    on source_column.attrelid = source.oid and source_column.attnum = constraint_.conkey[1]
inner join pg_attribute as target_column
    on target_column.attrelid = target.oid and target_column.attnum = constraint_.confkey[1]
where constraint_.contype = 'f'
    and cardinality(constraint_.conkey) = 1
    and source.relnamespace = 'app'::regnamespace
    and target.relnamespace = 'app'::regnamespace
union
select
    child,
    column_name,
    parent,
    'id'
from analytics.foreign_keys()
union
select
    'conversations',
    source_column.attname::text,
    target.relname::text,
    target_column.attname::text
from (values ('lead_id', 'leads'), ('customer_id', 'customers')) as named (column_name, table_name)
inner join pg_attribute as source_column
    on source_column.attrelid = to_regclass('app.conversations') and source_column.attname = named.column_name
inner join pg_class as target on target.oid = to_regclass('app.' || named.table_name)
inner join pg_index as i on i.indrelid = target.oid and i.indisprimary and i.indnkeyatts = 1
inner join pg_attribute as target_column
    on target_column.attrelid = target.oid and target_column.attnum = i.indkey[0]
    and target_column.atttypid = source_column.atttypid
where not exists (
    select from pg_constraint
    where conrelid = source_column.attrelid and contype = 'f' and conkey = array[source_column.attnum]
)
order by table_name, column_name;


-- name: columns
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
