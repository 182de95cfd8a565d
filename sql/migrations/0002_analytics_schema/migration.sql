-- What this project derives. Nothing here is a source: the schema can be dropped and rebuilt at any time.
comment on schema analytics is
'Derived by convo_pipelines from app and the crews'' histories tables; can be dropped and rebuilt at any time.';

create table analytics.histories_sessions (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    activity_date date not null,
    message_count bigint not null,
    human_count bigint not null,
    ai_count bigint not null,
    first_message_at timestamptz not null,
    last_message_at timestamptz not null,
    first_human_at timestamptz,
    first_ai_at timestamptz,
    first_response_at timestamptz,
    refreshed_at timestamptz not null default now(),
    primary key (crew_id, session_id, activity_date)
);
create index histories_sessions_activity_date on analytics.histories_sessions (crew_id, activity_date);
create index histories_sessions_refreshed_at on analytics.histories_sessions (refreshed_at);

comment on table analytics.histories_sessions is
'One row per crew, session and UTC day with messages: partial aggregates. Add the counts, take min and max of the times.';
comment on column analytics.histories_sessions.crew_id is 'The crew whose histories table holds the session.';
comment on column analytics.histories_sessions.session_id is 'The session, as the crew''s histories table names it.';
comment on column analytics.histories_sessions.activity_date is 'UTC day of the messages counted in this row.';
comment on column analytics.histories_sessions.message_count is 'Messages of any type, tool calls and unknown types included.';
comment on column analytics.histories_sessions.human_count is 'Messages of type human.';
comment on column analytics.histories_sessions.ai_count is 'Messages of type ai.';
comment on column analytics.histories_sessions.first_message_at is 'Time of the day''s first message.';
comment on column analytics.histories_sessions.last_message_at is 'Time of the day''s last message.';
comment on column analytics.histories_sessions.first_human_at is 'Time of the day''s first human message.';
comment on column analytics.histories_sessions.first_ai_at is 'Time of the day''s first ai message.';
comment on column analytics.histories_sessions.first_response_at is
'Time of the day''s first ai message that is not earlier than its first human message.';
comment on column analytics.histories_sessions.refreshed_at is 'Start of the transaction that last wrote this row.';

create table analytics.conversation_summaries (
    conversation_id uuid primary key references app.conversations on delete cascade,
    source text not null check (source in ('histories', 'messages')),
    channel text not null,
    client_id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    message_count bigint not null,
    inbound_count bigint not null,
    outbound_count bigint not null,
    participant_count bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    duration_seconds double precision not null,
    first_response_seconds double precision,
    closed_at timestamptz,
    refreshed_at timestamptz not null default now()
);
create index conversation_summaries_client on analytics.conversation_summaries (client_id, started_at);
create index conversation_summaries_ended_at on analytics.conversation_summaries (ended_at);
create index conversation_summaries_stale on analytics.conversation_summaries (conversation_id)
where refreshed_at = '-infinity';

comment on table analytics.conversation_summaries is
'One row per conversation that has a message, whatever its source: a crew''s sessions or app.messages.';
comment on column analytics.conversation_summaries.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_summaries.source is
'Where the messages are: histories (the crew''s histories table) or messages (app.messages).';
comment on column analytics.conversation_summaries.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.conversation_summaries.client_id is 'The client the conversation belongs to.';
comment on column analytics.conversation_summaries.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.conversation_summaries.session_id is 'The session, for a crew''s session.';
comment on column analytics.conversation_summaries.project_id is 'The project the conversation names.';
comment on column analytics.conversation_summaries.message_count is 'All messages.';
comment on column analytics.conversation_summaries.inbound_count is 'Inbound messages; human ones in a session.';
comment on column analytics.conversation_summaries.outbound_count is 'Outbound messages; ai ones in a session.';
comment on column analytics.conversation_summaries.participant_count is
'Distinct contact methods among the recipients (from, to, cc, bcc); in a session, how many of human and ai wrote.';
comment on column analytics.conversation_summaries.started_at is 'Time of the first message.';
comment on column analytics.conversation_summaries.ended_at is 'Time of the last message so far.';
comment on column analytics.conversation_summaries.duration_seconds is 'Seconds from started_at to ended_at.';
comment on column analytics.conversation_summaries.first_response_seconds is
'Seconds from the first inbound message to the first outbound one that is not earlier; null while unanswered.';
comment on column analytics.conversation_summaries.closed_at is 'When the application closed the conversation.';
comment on column analytics.conversation_summaries.refreshed_at is
'Start of the transaction that last wrote this row; -infinity: stale, the next refresh recomputes it.';

create table analytics.crew_discovery_state (
    crew_id uuid primary key references app.crews on delete cascade,
    histories_table_name text not null,
    watermark_id bigint not null default 0,
    pending_id bigint,
    pending_since timestamptz,
    archived_before date,
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_duration_ms bigint,
    sessions_scanned bigint not null default 0,
    conversations_created bigint not null default 0,
    last_session_count bigint not null default 0,
    consecutive_failures integer not null default 0,
    last_error text,
    last_warning text
);
comment on table analytics.crew_discovery_state is 'How far each crew''s histories table has been read, and how it went.';
comment on column analytics.crew_discovery_state.crew_id is 'The crew.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The table the watermark belongs to.';
comment on column analytics.crew_discovery_state.watermark_id is
'Every row of the histories table up to this id has been accounted for; 0 before the first.';
comment on column analytics.crew_discovery_state.pending_id is
'Largest id seen at pending_since: the next watermark, once no transaction that was open then is left.';
comment on column analytics.crew_discovery_state.pending_since is 'When pending_id was the largest id.';
comment on column analytics.crew_discovery_state.archived_before is
'Days before this one were pruned from the histories table; their rows in histories_sessions are kept.';
comment on column analytics.crew_discovery_state.last_run_at is 'Start of the last tick that worked on the crew.';
comment on column analytics.crew_discovery_state.last_success_at is 'End of the last tick that succeeded for the crew.';
comment on column analytics.crew_discovery_state.last_duration_ms is 'Milliseconds the last tick spent on the crew.';
comment on column analytics.crew_discovery_state.sessions_scanned is 'Session-days recomputed by all ticks so far.';
comment on column analytics.crew_discovery_state.conversations_created is 'Rows given to app.conversations so far.';
comment on column analytics.crew_discovery_state.last_session_count is 'Session-days recomputed by the last tick.';
comment on column analytics.crew_discovery_state.consecutive_failures is 'Failed ticks since the last success.';
comment on column analytics.crew_discovery_state.last_error is 'Why the last tick failed; null after a success.';
comment on column analytics.crew_discovery_state.last_warning is 'What the last tick wants somebody to look at.';

create table analytics.refresh_watermarks (
    asset_key text primary key,
    watermark timestamptz not null,
    fingerprint text not null,
    last_run_at timestamptz not null
);
comment on table analytics.refresh_watermarks is 'How far the assets that are not read per crew have been refreshed.';
comment on column analytics.refresh_watermarks.asset_key is 'The asset, named as its table.';
comment on column analytics.refresh_watermarks.watermark is
'Every source row whose updated_at or refreshed_at is earlier has been accounted for.';
comment on column analytics.refresh_watermarks.fingerprint is
'What the sources held from the watermark on when it was set: while it is the same, nothing is new.';
comment on column analytics.refresh_watermarks.last_run_at is 'When the watermark was last set.';
