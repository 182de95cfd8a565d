create view analytics.missing_app_indexes as
select
    table_name,
    column_name,
    format('create index concurrently on app.%I using %s (%I)', table_name, method, column_name) as run_this
from (
    values
    ('conversations', 'started_at', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('projects', 'conversation_ids', 'gin')
) as wanted (table_name, column_name, method)
where exists (
    select from pg_attribute as a
    inner join pg_class as t on t.oid = a.attrelid
    inner join pg_namespace as n on n.oid = t.relnamespace
    where n.nspname = 'app' and t.relname = wanted.table_name and a.attname = wanted.column_name
)
    and not exists (
        select from pg_index as i
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_class as t on t.oid = i.indrelid
        inner join pg_namespace as n on n.oid = t.relnamespace
        inner join pg_am as am on am.oid = c.relam
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid
            and i.indpred is null
            and n.nspname = 'app'
            and t.relname = wanted.table_name
            and a.attname = wanted.column_name
            and am.amname = wanted.method
    );

comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills filter by and that have no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that creates the index.';
