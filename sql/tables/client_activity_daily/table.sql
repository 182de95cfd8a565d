create table analytics.client_activity_daily (
    client_id uuid not null references app.clients on delete cascade,
    activity_date date not null,
    client_code text not null,
    sessions bigint not null,
    messages bigint not null,
    conversations_started bigint not null,
    conversations_closed bigint not null,
    first_response_median_seconds float8,
    first_response_p90_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (client_id, activity_date)
);
create index client_activity_daily_activity_date on analytics.client_activity_daily (activity_date);

comment on table analytics.client_activity_daily is
'Activity of each client''s conversations by UTC day: one row per client and day with activity.';
comment on column analytics.client_activity_daily.client_id is 'The client that the conversations belong to.';
comment on column analytics.client_activity_daily.activity_date is 'UTC day.';
comment on column analytics.client_activity_daily.client_code is 'The client''s code.';
comment on column analytics.client_activity_daily.sessions is 'Crews'' sessions with a message on that day.';
comment on column analytics.client_activity_daily.messages is 'Messages on that day: of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is
'Conversations whose first message was sent on that day.';
comment on column analytics.client_activity_daily.conversations_closed is 'Conversations closed on that day.';
comment on column analytics.client_activity_daily.first_response_median_seconds is
'Exact median seconds to the first answer, of the conversations started on that day; null if none was answered.';
comment on column analytics.client_activity_daily.first_response_p90_seconds is
'Exact 90th percentile of the seconds to the first answer, of the conversations started on that day.';
comment on column analytics.client_activity_daily.refreshed_at is 'Start of the transaction that last wrote this row.';
