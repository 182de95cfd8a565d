-- Deletions and new messages of conversations are found without reading all of the log; indexes that wait for a build are noted.
-- Each statement on its own.
create index concurrently if not exists conversation_changes_deletions on analytics.conversation_changes (xid)
where source = 'conversations' and operation in ('delete', 'update') and crew_id is not null;

create index concurrently if not exists conversation_changes_written on analytics.conversation_changes (xid)
where xids is not null;

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
    from analytics.conversation_changes as change
    where analytics.is_unread(change.xid, unread_since)
        and change.source = 'conversations' and change.operation in ('delete', 'update')
        and change.crew_id is not null and change.session_id is not null
    union all
    select day.crew_id, day.session_id, truncation.snapshot, truncation.xid, truncation.logged_at, false
    from analytics.conversation_changes as truncation
    cross join analytics.histories_sessions as day
    where analytics.is_unread(truncation.xid, unread_since)
        and truncation.source = 'conversations' and truncation.operation = 'truncate'
        and truncation.conversation_id is null and truncation.crew_id is null
        and not exists (
            select from analytics.conversation_changes as change
            where analytics.is_unread(change.xid, unread_since)
                and change.crew_id = day.crew_id and change.session_id = day.session_id
                and (
                    change.source = 'histories_sessions'
                    and change.operation = 'insert' and change.activity_date = day.activity_date
                    or change.source = 'crew_conversations retry'
                )
        )
$$;

create table analytics.deferred_indexes (
    table_name text not null,
    index_name text primary key,
    definition text not null
);

comment on table analytics.deferred_indexes is
'Indexes that were dropped for the first build of a large table, and are made again when it is full.';

comment on column analytics.deferred_indexes.table_name is 'The table in analytics.';

comment on column analytics.deferred_indexes.index_name is 'The index.';

comment on column analytics.deferred_indexes.definition is 'The statement that creates it.';
