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
    archived_at timestamptz,
    tool_call_count bigint not null,
    last_human_at timestamptz,
    last_ai_at timestamptz,
    unanswered_since timestamptz,
    primary key (crew_id, session_id, activity_date)
);
create index histories_sessions_activity_date on analytics.histories_sessions (crew_id, activity_date);
create index histories_sessions_archived on analytics.histories_sessions (crew_id, activity_date)
where archived_at is not null;

comment on table analytics.histories_sessions is
'One row per crew, session and UTC day with messages: partial aggregates. Add up the counts; take the minimum and '
'maximum of the times.';
comment on column analytics.histories_sessions.crew_id is 'The crew whose histories table holds the session.';
comment on column analytics.histories_sessions.session_id is
'The session id, as stored in the crew''s histories table. Personal data.';
comment on column analytics.histories_sessions.activity_date is 'UTC day of the messages counted in this row.';
comment on column analytics.histories_sessions.message_count is
'Messages of any type, including tool calls and unknown types.';
comment on column analytics.histories_sessions.human_count is 'Messages of type human: those of the customer.';
comment on column analytics.histories_sessions.ai_count is
'Messages of type ai: answers. Calls of tools without a text are none.';
comment on column analytics.histories_sessions.first_message_at is 'Time of the day''s first message.';
comment on column analytics.histories_sessions.last_message_at is 'Time of the day''s last message.';
comment on column analytics.histories_sessions.first_human_at is 'Time of the day''s first human message.';
comment on column analytics.histories_sessions.first_ai_at is 'Time of the day''s first ai message.';
comment on column analytics.histories_sessions.first_response_at is
'Time of the day''s first ai message that is not earlier than its first human message.';
comment on column analytics.histories_sessions.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.histories_sessions.archived_at is
'When old rows of this session-day were deleted from the source. Since then it keeps its counts; null: it follows '
'its source.';
comment on column analytics.histories_sessions.tool_call_count is
'Messages of type ai that only call tools: they have no text.';
comment on column analytics.histories_sessions.last_human_at is 'Time of the day''s last human message.';
comment on column analytics.histories_sessions.last_ai_at is 'Time of the day''s last ai message.';
comment on column analytics.histories_sessions.unanswered_since is
'Time of the day''s first human message that is later than its last ai message; null if there is none.';
