-- Each source gets a log of its own, and each derived table: unread changes of the four logs that sources shared move there.
-- The triggers on sources that call functions of ours are dropped, but for those of histories tables and of conversations, whose
-- deletions only a log knows, while no transaction writes these sources. The next tick captures the others again, and reads
-- everything. Adopted views have to be installed again.
-- was: 573e39cdc0116df01de7670ca5f19ff3fbd262f284acd3dfbcb760486110feb5
do $$
declare
    found record;
begin
    set local lock_timeout = '50 ms';  -- a dozen waits in less than deadlock_timeout
    for found in
        select
            trigger.tgname as name,
            trigger.tgrelid::regclass as on_table,
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
                    'log_conversations', 'log_messages', 'log_recipients', 'log_identifiers', 'log_projects'
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
        if found.is_kept then
            execute format('lock table only %s in share row exclusive mode', found.on_table);
        else
            execute format('drop trigger %I on %s', found.name, found.on_table);
        end if;
    end loop;
end
$$;
update analytics.adopted_views set definitions = ''
where table_name in (
    'clients', 'contact_methods', 'conversations', 'crews', 'message_recipients', 'messages', 'people', 'projects', 'users'
);
-- The trigger function of conversations beneath an adopted view logs to the new log until the view is installed again.
do $$
declare
    definition text;
begin
    for definition in
        select pg_get_functiondef(to_regproc(format('analytics.%I', beneath.function_name)))
        from analytics.adopted_tables as beneath
        inner join analytics.adopted_views as adopted on adopted.view_oid = beneath.view_oid
        where adopted.table_name = 'conversations' and beneath.number = 0
            and to_regproc(format('analytics.%I', beneath.function_name)) is not null
    loop
        definition := replace(definition, 'analytics.conversation_changes', 'analytics.conversations_changes');
        definition := replace(definition, '(source, conversation_id, crew_id,', '(id, crew_id,');
        execute regexp_replace(definition, 'tg_argv\[0\],\s+', '', 'g');
    end loop;
end
$$;
drop function if exists analytics.log_recipients(), analytics.log_identifiers();
lock table
    analytics.conversation_changes, analytics.message_changes, analytics.identifier_changes, analytics.project_changes
in access exclusive mode;

create table analytics.clients_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index clients_changes_xid on analytics.clients_changes (xid);
alter table analytics.clients_changes replica identity full;

create table analytics.crews_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index crews_changes_xid on analytics.crews_changes (xid);
alter table analytics.crews_changes replica identity full;

create table analytics.people_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index people_changes_xid on analytics.people_changes (xid);
alter table analytics.people_changes replica identity full;

create table analytics.contact_methods_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index contact_methods_changes_xid on analytics.contact_methods_changes (xid);
alter table analytics.contact_methods_changes replica identity full;

create table analytics.conversations_changes (
    id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    snapshot pg_snapshot,
    xids xid8[],
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index conversations_changes_xid on analytics.conversations_changes (xid);
alter table analytics.conversations_changes replica identity full;

create table analytics.messages_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index messages_changes_xid on analytics.messages_changes (xid);
alter table analytics.messages_changes replica identity full;

create table analytics.message_recipients_changes (
    message_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index message_recipients_changes_xid on analytics.message_recipients_changes (xid);
alter table analytics.message_recipients_changes replica identity full;

create table analytics.projects_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index projects_changes_xid on analytics.projects_changes (xid);
alter table analytics.projects_changes replica identity full;

create table analytics.users_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index users_changes_xid on analytics.users_changes (xid);
alter table analytics.users_changes replica identity full;

create table analytics.participant_decisions_changes (
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index participant_decisions_changes_xid on analytics.participant_decisions_changes (xid);
alter table analytics.participant_decisions_changes replica identity full;

create table analytics.client_activity_daily_changes (
    client_id uuid,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index client_activity_daily_changes_xid on analytics.client_activity_daily_changes (xid);
alter table analytics.client_activity_daily_changes replica identity full;

create table analytics.clients_conversations_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index clients_conversations_changes_xid on analytics.clients_conversations_changes (xid);
alter table analytics.clients_conversations_changes replica identity full;

create table analytics.conversation_days_changes (
    conversation_id uuid,
    client_id uuid,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index conversation_days_changes_xid on analytics.conversation_days_changes (xid);
alter table analytics.conversation_days_changes replica identity full;

create table analytics.conversation_summaries_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index conversation_summaries_changes_xid on analytics.conversation_summaries_changes (xid);
alter table analytics.conversation_summaries_changes replica identity full;

create table analytics.crew_activity_daily_changes (
    crew_id uuid,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index crew_activity_daily_changes_xid on analytics.crew_activity_daily_changes (xid);
alter table analytics.crew_activity_daily_changes replica identity full;

create table analytics.crew_conversations_changes (
    crew_id uuid,
    session_id text,
    xids xid8[],
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index crew_conversations_changes_xid on analytics.crew_conversations_changes (xid);
alter table analytics.crew_conversations_changes replica identity full;

create table analytics.histories_sessions_changes (
    crew_id uuid,
    session_id text,
    activity_date date,
    xids xid8[],
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index histories_sessions_changes_xid on analytics.histories_sessions_changes (xid);
alter table analytics.histories_sessions_changes replica identity full;

create table analytics.participant_resolutions_changes (
    contact_method_id uuid,
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index participant_resolutions_changes_xid on analytics.participant_resolutions_changes (xid);
alter table analytics.participant_resolutions_changes replica identity full;

create table analytics.people_conversations_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index people_conversations_changes_xid on analytics.people_conversations_changes (xid);
alter table analytics.people_conversations_changes replica identity full;

create table analytics.project_conversations_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index project_conversations_changes_xid on analytics.project_conversations_changes (xid);
alter table analytics.project_conversations_changes replica identity full;

create table analytics.project_link_inconsistencies_changes (
    conversation_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index project_link_inconsistencies_changes_xid on analytics.project_link_inconsistencies_changes (xid);
alter table analytics.project_link_inconsistencies_changes replica identity full;

create index conversations_changes_deletions on analytics.conversations_changes (xid)
where operation in ('delete', 'update') and crew_id is not null;
create index histories_sessions_changes_written on analytics.histories_sessions_changes (xid) where xids is not null;

insert into analytics.conversations_changes (id, crew_id, session_id, snapshot, xids, operation, xid, logged_at)
select
    conversation_id,
    crew_id,
    session_id,
    snapshot,
    xids,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'conversations';
insert into analytics.crew_conversations_changes (crew_id, session_id, xids, operation, xid, logged_at)
select
    crew_id,
    session_id,
    xids,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'crew_conversations retry';
insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, xids, operation, xid, logged_at)
select
    crew_id,
    session_id,
    activity_date,
    xids,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'histories_sessions';
insert into analytics.conversation_days_changes (client_id, activity_date, operation, xid, logged_at)
select
    client_id,
    activity_date,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'conversation_days';
insert into analytics.messages_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'messages';
insert into analytics.conversation_summaries_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'conversation_summaries';
insert into analytics.people_conversations_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'people_conversations';
insert into analytics.project_conversations_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'project_conversations';
insert into analytics.participant_resolutions_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    operation,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'participant_resolutions';
insert into analytics.conversation_summaries_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'conversation_summaries retry';
insert into analytics.conversation_days_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'conversation_days retry';
insert into analytics.people_conversations_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'people_conversations retry';
insert into analytics.clients_conversations_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'clients_conversations retry';
insert into analytics.project_conversations_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'project_conversations retry';
insert into analytics.project_link_inconsistencies_changes (conversation_id, operation, xid, logged_at)
select
    conversation_id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'project_link_inconsistencies retry';
insert into analytics.crew_activity_daily_changes (crew_id, activity_date, operation, xid, logged_at)
select
    crew_id,
    activity_date,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'crew_activity_daily retry';
insert into analytics.client_activity_daily_changes (client_id, activity_date, operation, xid, logged_at)
select
    client_id,
    activity_date,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.conversation_changes
where source = 'client_activity_daily retry';
insert into analytics.clients_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'clients';
insert into analytics.crews_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'crews';
insert into analytics.people_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'people';
insert into analytics.contact_methods_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'contact_methods';
insert into analytics.users_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'users';
insert into analytics.participant_decisions_changes (id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'participant_decisions';
insert into analytics.participant_resolutions_changes (contact_method_id, operation, xid, logged_at)
select
    id,
    operation,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'participant_resolutions';
insert into analytics.participant_resolutions_changes (contact_method_id, operation, xid, logged_at)
select
    id,
    case operation when 'everything' then 'everything' else 'retry' end,
    xid,
    logged_at
from analytics.identifier_changes
where source = 'participant_resolutions retry';
insert into analytics.message_recipients_changes (message_id, operation, xid, logged_at)
select
    message_id,
    operation,
    xid,
    logged_at
from analytics.message_changes;
insert into analytics.projects_changes (id, operation, xid, logged_at)
select
    project_id,
    operation,
    xid,
    logged_at
from analytics.project_changes;

create or replace view analytics.changes as
select
    null::text as source,
    null::xid8 as xid,
    null::timestamptz as logged_at,
    null::text as operation,
    null::boolean as is_everything
where false;
drop table
    analytics.conversation_changes, analytics.message_changes, analytics.identifier_changes, analytics.project_changes;
