-- Builds the indexes on updated_at again, concurrently; each statement on its own.
create or replace view analytics.missing_app_indexes as
select
    table_name,
    column_name,
    format('create index concurrently on app.%I using %s (%I)', table_name, method, column_name) as run_this
from (
    values
    ('conversations', 'updated_at', 'btree'),
    ('conversations', 'started_at', 'btree'),
    ('messages', 'updated_at', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'updated_at', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('people', 'updated_at', 'btree'),
    ('contact_methods', 'updated_at', 'btree'),
    ('projects', 'updated_at', 'btree'),
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

create index concurrently if not exists conversations_updated_at on app.conversations (updated_at);

create index concurrently if not exists messages_updated_at on app.messages (updated_at);

create index concurrently if not exists message_recipients_updated_at on app.message_recipients (updated_at);

create index concurrently if not exists people_updated_at on app.people (updated_at);

create index concurrently if not exists contact_methods_updated_at on app.contact_methods (updated_at);

create index concurrently if not exists projects_updated_at on app.projects (updated_at);
