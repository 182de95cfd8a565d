-- Nothing reads app by updated_at any more: the application need not keep these indexes. Built by 0003 and 0005.
-- Statements are separated by an empty line and run on their own.
drop index concurrently if exists app.conversations_updated_at;

drop index concurrently if exists app.messages_updated_at;

drop index concurrently if exists app.message_recipients_updated_at;

drop index concurrently if exists app.people_updated_at;

drop index concurrently if exists app.contact_methods_updated_at;

drop index concurrently if exists app.projects_updated_at;

create or replace view analytics.missing_app_indexes as
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
where not exists (
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
