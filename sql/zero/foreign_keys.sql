-- The foreign keys of one column between tables of app and the link tables.
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
    and source.relnamespace::regnamespace::text in ('app', 'analytics')
    and target.relnamespace = 'app'::regnamespace
order by table_name, column_name;
