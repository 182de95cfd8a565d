-- The log tells of the days of crews and clients, too.
alter table analytics.conversation_changes
add column client_id uuid,
add column activity_date date;

comment on column analytics.conversation_changes.conversation_id is
'The conversation; null with a crew_id or client_id: of a session, or a day; null without: everything of the source.';
comment on column analytics.conversation_changes.crew_id is 'The crew, of a crew''s conversation, session or day.';
comment on column analytics.conversation_changes.client_id is 'The client, of a client''s day.';
comment on column analytics.conversation_changes.activity_date is 'The UTC day of a session, crew or client.';

create or replace view analytics.changes as
select 'histories' as source, xid, logged_at, operation, operation in ('everything', 'truncate') as is_everything
from analytics.session_changes
union all
select source, xid, logged_at, operation, conversation_id is null and crew_id is null and client_id is null
from analytics.conversation_changes
union all
select 'message_recipients', xid, logged_at, operation, message_id is null
from analytics.message_changes
union all
select source, xid, logged_at, operation, id is null
from analytics.identifier_changes
union all
select 'projects', xid, logged_at, operation, project_id is null
from analytics.project_changes;

-- Clients are captured, too: the days of clients and crews name them.
do $$
begin
    execute replace(
        replace(
            pg_get_functiondef('analytics.source_tables(text)'::regprocedure),
            '(''crews'', ''log_identifiers''),', '(''clients'', ''log_identifiers''), (''crews'', ''log_identifiers''),'
        ),
        '''crews'', ''people'', ''contact_methods'', ''conversations'',',
        '''clients'', ''crews'', ''people'', ''contact_methods'', ''conversations'','
    );
end
$$;

create table analytics.conversation_days (
    conversation_id uuid not null,
    activity_date date not null,
    client_id uuid not null,
    source text not null,
    message_count bigint not null,
    is_started boolean not null,
    is_closed boolean not null,
    first_response_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (conversation_id, activity_date, client_id)
);
create index conversation_days_client_id on analytics.conversation_days (client_id, activity_date);

comment on table analytics.conversation_days is
'What happened in each client''s conversation on each UTC day with anything: partial aggregates, for clients'' days.';
comment on column analytics.conversation_days.conversation_id is 'The conversation.';
comment on column analytics.conversation_days.activity_date is 'UTC day with a message, or on which it was closed.';
comment on column analytics.conversation_days.client_id is
'The client it belongs to; part of the key, so that a conversation that changes hands leaves one client''s day for another''s.';
comment on column analytics.conversation_days.source is 'histories or messages, as in conversation_summaries.';
comment on column analytics.conversation_days.message_count is 'Messages of that day.';
comment on column analytics.conversation_days.is_started is 'Whether its first message is of that day.';
comment on column analytics.conversation_days.is_closed is 'Whether it was closed on that day.';
comment on column analytics.conversation_days.first_response_seconds is
'Seconds to the first answer, on the day of its first message; null: on any other, or not answered.';
comment on column analytics.conversation_days.refreshed_at is 'Start of the transaction that last wrote this row.';
