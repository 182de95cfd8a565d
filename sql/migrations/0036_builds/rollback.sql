-- The function of before, and no indexes; each statement on its own. Indexes that wait for a build have to be made before.
do $$
begin
    if exists (select from analytics.deferred_indexes) then
        raise exception 'indexes wait for a build that has not ended: run `convo-pipelines tick` before';
    end if;
end
$$;

drop table analytics.deferred_indexes;

drop index concurrently if exists analytics.conversation_changes_deletions;

drop index concurrently if exists analytics.conversation_changes_written;

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
