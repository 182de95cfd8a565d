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
