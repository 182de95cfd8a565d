-- Records in deleted_conversations which conversations the application deleted, according to unread changes.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null: all changes in the log; %(rows)s: at most so many, or
--      null; %(is_last)s: log the rest, whose crew another session has locked, for retry
-- out: one row: rows (how many were written)
with unread as materialized (
    select
        crew_id,
        session_id,
        operation,
        max(logged_at) as deleted_at
    from analytics.conversation_changes
    where source = 'conversations'
        and operation in ('delete', 'update', 'truncate')
        and (
            %(unread_since)s::pg_snapshot is null
            or analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        )
    group by crew_id, session_id, operation
),

deleted as (
    select
        crew_id,
        session_id,
        deleted_at
    from unread
    where operation <> 'truncate' and session_id is not null
    union all
    select
        day.crew_id,
        day.session_id,
        truncation.deleted_at
    from (select max(deleted_at) as deleted_at from unread where operation = 'truncate') as truncation
    inner join analytics.histories_sessions as day on truncation.deleted_at is not null
),

missing as materialized (
    select
        deleted.crew_id,
        deleted.session_id,
        max(deleted.deleted_at) as deleted_at
    from deleted
    inner join app.crews as crew on crew.id = deleted.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = deleted.crew_id and conversation.session_id = deleted.session_id
    left join analytics.deleted_conversations as known
        on known.crew_id = deleted.crew_id
            and known.session_id = deleted.session_id
            and known.deleted_at >= deleted.deleted_at
    left join analytics.refused_conversations as refused
        on refused.crew_id = deleted.crew_id
            and refused.session_id = deleted.session_id
            and refused.refused_at >= deleted.deleted_at
    where conversation.id is null
        and known.crew_id is null
        and refused.crew_id is null
        and analytics.is_usable_session(deleted.session_id)
    group by deleted.crew_id, deleted.session_id
),

lockable as materialized (
    select locked.crew_id
    from analytics.lock_parents('crews', array(select distinct crew_id from missing)) as locked (crew_id)
),

written as (
    insert into analytics.deleted_conversations as target (crew_id, session_id, deleted_at)
    select
        crew_id,
        session_id,
        deleted_at
    from missing
    where crew_id in (select crew_id from lockable)
    order by crew_id, session_id
    limit %(rows)s
    on conflict (crew_id, session_id) do update set
        deleted_at = greatest(target.deleted_at, excluded.deleted_at)
    returning 1
),

left_for_later as (
    insert into analytics.conversation_changes (source, crew_id, session_id, operation, logged_at)
    select
        'conversations',
        crew_id,
        session_id,
        'delete',
        deleted_at
    from missing
    where %(is_last)s and crew_id not in (select crew_id from lockable)
)

select count(*) as rows from written;
