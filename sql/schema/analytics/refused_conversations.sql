create table analytics.refused_conversations (
    crew_id uuid not null,
    session_id text not null,
    refused_by text not null,
    refused_at timestamptz not null default clock_timestamp(),
    primary key (crew_id, session_id)
);

comment on table analytics.refused_conversations is
'Sessions whose conversation a rule of the application refuses: a constraint or trigger of app.conversations. They '
'are tried again when they change, and at each reconcile.';
comment on column analytics.refused_conversations.crew_id is 'The crew.';
comment on column analytics.refused_conversations.session_id is 'The session. Personal data.';
comment on column analytics.refused_conversations.refused_by is
'The constraint, trigger or not-null column of app.conversations, or the error of PostgreSQL if it names none.';
comment on column analytics.refused_conversations.refused_at is 'When it was last tried.';
