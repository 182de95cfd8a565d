-- The four logs that sources shared return, with the deletions of conversations that are not read yet. All else is read again:
-- the triggers on sources that call functions of ours are dropped, but for those of histories tables and of conversations, while
-- no transaction writes these sources. The version before captures them again. Adopted views have to be installed again.
do $$
declare
    found record;
begin
    set local lock_timeout = '50 ms';  -- a dozen waits in less than deadlock_timeout
    for found in
        select
            trigger.tgname as name,
            trigger.tgrelid::regclass as on_table,
            pg_get_triggerdef(trigger.oid) as definition,
            function.proname = 'log_conversations' or function.oid in (
                select to_regproc(format('analytics.%I', beneath.function_name)) from analytics.adopted_tables as beneath
                inner join analytics.adopted_views as adopted on adopted.view_oid = beneath.view_oid
                where adopted.table_name = 'conversations' and beneath.number = 0
            ) as is_kept
        from pg_trigger as trigger
        inner join pg_proc as function on function.oid = trigger.tgfoid
        where function.pronamespace = 'analytics'::regnamespace
            and trigger.tgname like 'convo\_pipelines\_%'
            and trigger.tgparentid = 0
            and (
                function.proname in (
                    'log_clients', 'log_contact_methods', 'log_conversations', 'log_crews', 'log_message_recipients',
                    'log_messages', 'log_people', 'log_projects', 'log_users', 'log_participant_decisions', 'log_people_conversations'
                )
                or function.proname in (
                    select beneath.function_name from analytics.adopted_tables as beneath
                    inner join analytics.adopted_views as adopted on adopted.view_oid = beneath.view_oid
                    where adopted.table_name in (
                        'clients', 'contact_methods', 'conversations', 'crews', 'message_recipients', 'messages', 'people',
                        'projects', 'users'
                    )
                )
            )
        order by trigger.tgrelid, trigger.tgname
    loop
        if found.is_kept then  -- the function of the version before takes the name of the source from the trigger
            found.definition := regexp_replace(found.definition, '\(\)$', '(''conversations'')');
            execute replace(found.definition, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER');
            execute format('alter table only %s enable always trigger %I', found.on_table, found.name);
        else
            execute format('drop trigger %I on %s', found.name, found.on_table);
        end if;
    end loop;
end
$$;
-- The trigger functions of conversations log to the log that returns, until the version before applies its own.
do $$
declare
    definition text;
begin
    for definition in
        select pg_get_functiondef(function.oid) from (
            select to_regproc(format('analytics.%I', beneath.function_name)) as oid from analytics.adopted_tables as beneath
            inner join analytics.adopted_views as adopted on adopted.view_oid = beneath.view_oid
            where adopted.table_name = 'conversations' and beneath.number = 0
            union
            select to_regproc('analytics.log_conversations')
        ) as function
        where function.oid is not null
    loop
        definition := replace(definition, 'analytics.conversations_changes', 'analytics.conversation_changes');
        definition := regexp_replace(
            definition,
            '\(id, crew_id, session_id, project_id[^)]*, operation,',
            '(source, conversation_id, crew_id, session_id, operation,',
            'g'
        );
        definition := regexp_replace(
            definition,
            '(values \(|select\s+)(only_1, only_2, only_3|c1, c2, c3)(?:, (?:only_|c)\d+)+,\s+operation,',
            '\1tg_argv[0], \2, operation,',
            'g'
        );
        execute definition;
    end loop;
end
$$;
update analytics.adopted_views set definitions = ''
where table_name in (
    'clients', 'contact_methods', 'conversations', 'crews', 'message_recipients', 'messages', 'people', 'projects', 'users'
);
lock table
    analytics.conversations_changes, analytics.histories_sessions_changes, analytics.crew_conversations_changes
in access exclusive mode;

create table analytics.conversation_changes (
    source text not null,
    conversation_id uuid,
    crew_id uuid,
    session_id text,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(),
    client_id uuid,
    activity_date date,
    snapshot pg_snapshot,
    xids xid8[]
) with (vacuum_truncate = off);
create index conversation_changes_xid on analytics.conversation_changes (xid);
create index conversation_changes_everything on analytics.conversation_changes (xid)
where conversation_id is null and crew_id is null;
create index conversation_changes_deletions on analytics.conversation_changes (xid)
where source = 'conversations' and operation in ('delete', 'update') and crew_id is not null;
create index conversation_changes_written on analytics.conversation_changes (xid) where xids is not null;
alter table analytics.conversation_changes replica identity full;

create table analytics.message_changes (
    message_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index message_changes_xid on analytics.message_changes (xid);
create index message_changes_everything on analytics.message_changes (xid) where message_id is null;
alter table analytics.message_changes replica identity full;

create table analytics.identifier_changes (
    source text not null,
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index identifier_changes_xid on analytics.identifier_changes (xid);
create index identifier_changes_everything on analytics.identifier_changes (xid) where id is null;
alter table analytics.identifier_changes replica identity full;

create table analytics.project_changes (
    project_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index project_changes_xid on analytics.project_changes (xid);
create index project_changes_everything on analytics.project_changes (xid) where project_id is null;
alter table analytics.project_changes replica identity full;

insert into analytics.conversation_changes (
    source, conversation_id, crew_id, session_id, snapshot, xids, operation, xid, logged_at
)
select
    'conversations',
    id,
    crew_id,
    session_id,
    snapshot,
    xids,
    operation,
    xid,
    logged_at
from analytics.conversations_changes;
insert into analytics.conversation_changes (source, crew_id, session_id, activity_date, xids, operation, xid, logged_at)
select
    'histories_sessions',
    crew_id,
    session_id,
    activity_date,
    xids,
    operation,
    xid,
    logged_at
from analytics.histories_sessions_changes;
insert into analytics.conversation_changes (source, crew_id, session_id, xids, operation, xid, logged_at)
select
    'crew_conversations retry',
    crew_id,
    session_id,
    xids,
    'update',
    xid,
    logged_at
from analytics.crew_conversations_changes
where operation = 'retry';
insert into analytics.conversation_changes (source, operation)
select
    asset_key || ' retry',
    'everything'
from analytics.refresh_state
where asset_key not in ('histories_sessions', 'crew_conversations', 'participant_resolutions');
insert into analytics.identifier_changes (source, operation) values ('participant_resolutions retry', 'everything');

create or replace view analytics.changes as
select
    null::text as source,
    null::xid8 as xid,
    null::timestamptz as logged_at,
    null::text as operation,
    null::boolean as is_everything
where false;
drop table
    analytics.clients_changes,
    analytics.crews_changes,
    analytics.people_changes,
    analytics.contact_methods_changes,
    analytics.conversations_changes,
    analytics.messages_changes,
    analytics.message_recipients_changes,
    analytics.projects_changes,
    analytics.users_changes,
    analytics.participant_decisions_changes,
    analytics.client_activity_daily_changes,
    analytics.clients_conversations_changes,
    analytics.conversation_days_changes,
    analytics.conversation_summaries_changes,
    analytics.crew_activity_daily_changes,
    analytics.crew_conversations_changes,
    analytics.histories_sessions_changes,
    analytics.participant_resolutions_changes,
    analytics.people_conversations_changes,
    analytics.project_conversations_changes,
    analytics.project_link_inconsistencies_changes;
