create table analytics.deleted_conversations (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    deleted_at timestamptz not null,
    primary key (crew_id, session_id)
);

comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted. No conversation is created for them until new messages '
'arrive.';
comment on column analytics.deleted_conversations.crew_id is 'The crew.';
comment on column analytics.deleted_conversations.session_id is 'The session.';
comment on column analytics.deleted_conversations.deleted_at is 'When the conversation was deleted.';
