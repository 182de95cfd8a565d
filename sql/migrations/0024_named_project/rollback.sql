-- Inconsistencies no longer say which project the conversation names; projects are expected to have arrays.
do $$
begin
    execute replace(
        pg_get_functiondef('analytics.source_tables(text)'::regprocedure),
        'fed.srrelid, parents.of, case when class.oid = to_regclass(''app.projects'') and not exists (
                select from pg_attribute as attribute
                where attribute.attrelid = class.oid and attribute.attname = ''conversation_ids''
            ) then ''without conversation_ids'' end) as identity',
        'fed.srrelid, parents.of) as identity'
    );
end
$$;

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

comment on column analytics.project_conversations.added_at is
'When the conversation came to the project: its created_at where a backfill saw it first, else when it was changed.';
comment on column analytics.project_conversations.added_by is 'The user the project belonged to then.';

alter table analytics.project_link_inconsistencies drop column named_project_id;
