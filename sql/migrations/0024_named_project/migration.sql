-- An inconsistency says which project the conversation names; and the application may drop projects' arrays altogether.
alter table analytics.project_link_inconsistencies add column named_project_id uuid;

comment on column analytics.project_link_inconsistencies.named_project_id is
'The project that the conversation names; null: it names none, or does not exist.';

comment on column analytics.project_conversations.added_at is
'When the conversation came to the project, as far as its own times tell: created_at where no tick saw it come, else the '
'updated_at that the tick found.';
comment on column analytics.project_conversations.added_by is
'The user the project belonged to when the link was written: not who made it. Null: that user is deleted.';

insert into analytics.conversation_changes (source, operation) values ('project_link_inconsistencies again', 'everything');

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

-- Projects without arrays are not what they were: they are read again as a whole.
do $$
begin
    execute replace(
        pg_get_functiondef('analytics.source_tables(text)'::regprocedure),
        'fed.srrelid, parents.of) as identity',
        'fed.srrelid, parents.of, case when class.oid = to_regclass(''app.projects'') and not exists (
                select from pg_attribute as attribute
                where attribute.attrelid = class.oid and attribute.attname = ''conversation_ids''
            ) then ''without conversation_ids'' end) as identity'
    );
end
$$;
