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
'What happened in each conversation on each UTC day: partial aggregates for client_activity_daily.';
comment on column analytics.conversation_days.conversation_id is 'The conversation.';
comment on column analytics.conversation_days.activity_date is
'UTC day with a message, or on which the conversation was closed.';
comment on column analytics.conversation_days.client_id is
'The client that the conversation belongs to. Part of the key, so that a conversation that moves to another '
'client gets a new row.';
comment on column analytics.conversation_days.source is 'histories or messages, as in conversation_summaries.';
comment on column analytics.conversation_days.message_count is 'Messages of that day.';
comment on column analytics.conversation_days.is_started is 'Whether its first message was sent on that day.';
comment on column analytics.conversation_days.is_closed is 'Whether it was closed on that day.';
comment on column analytics.conversation_days.first_response_seconds is
'Seconds to the first answer, on the day of the first message; null on other days, and if not answered.';
comment on column analytics.conversation_days.refreshed_at is 'Start of the transaction that last wrote this row.';
