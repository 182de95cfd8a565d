create table analytics.deleted_conversations (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    deleted_at timestamptz not null,
    snapshot pg_snapshot,
    xid xid8,
    primary key (crew_id, session_id)
);

comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted. No conversation is created for them until new messages '
'arrive.';
comment on column analytics.deleted_conversations.crew_id is 'The crew.';
comment on column analytics.deleted_conversations.session_id is 'The session. Personal data.';
comment on column analytics.deleted_conversations.deleted_at is 'When the conversation was deleted.';
comment on column analytics.deleted_conversations.snapshot is
'What the transaction that deleted it saw: messages that are not visible in it are new. Null: unknown, every message '
'that is read from now on is new.';
comment on column analytics.deleted_conversations.xid is
'The transaction that deleted it, whose own messages are not new; null: unknown.';

-- The deletions of sessions' conversations: those that are recorded, and those in the unread rows of the log. A truncation
-- deleted the conversations of all sessions but those that were found since.
create or replace function analytics.deletions(unread_since pg_snapshot) returns table (
    crew_id uuid, session_id text, snapshot pg_snapshot, xid xid8, deleted_at timestamptz, is_recorded boolean
)
language sql stable
as $$
    select crew_id, session_id, snapshot, xid, deleted_at, true
    from analytics.deleted_conversations
    union all
    select change.crew_id, change.session_id, change.snapshot, coalesce(change.xids[1], change.xid), change.logged_at, false
    from analytics.conversations_changes as change
    where analytics.is_unread(change.xid, unread_since)
        and change.operation in ('delete', 'update')
        and change.crew_id is not null and change.session_id is not null
    union all
    select day.crew_id, day.session_id, truncation.snapshot, truncation.xid, truncation.logged_at, false
    from analytics.conversations_changes as truncation
    cross join analytics.histories_sessions as day
    where analytics.is_unread(truncation.xid, unread_since)
        and truncation.operation = 'truncate'
        and not exists (
            select from analytics.histories_sessions_changes as change
            where analytics.is_unread(change.xid, unread_since)
                and change.crew_id = day.crew_id and change.session_id = day.session_id
                and change.operation = 'insert' and change.activity_date = day.activity_date
        )
        and not exists (
            select from analytics.crew_conversations_changes as retry
            where analytics.is_unread(retry.xid, unread_since)
                and retry.crew_id = day.crew_id and retry.session_id = day.session_id
        )
$$;
