-- Records in deleted_conversations which conversations the application deleted, according to unread changes.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null: all changes in the log; %(rows)s: at most so many, or
--      null; %(is_last)s: log the rest, whose crew another session has locked, for retry
-- out: one row: rows (how many were written)
with unread as materialized (
    select distinct
        crew_id,
        session_id
    from analytics.deletions(%(unread_since)s::pg_snapshot)
    where not is_recorded
),

latest as (  -- the one that saw most: of two snapshots, one sees all that the other sees
    select distinct on (deletion.crew_id, deletion.session_id) deletion.*
    from analytics.deletions(%(unread_since)s::pg_snapshot) as deletion
    inner join unread using (crew_id, session_id)
    order by
        deletion.crew_id,
        deletion.session_id,
        pg_snapshot_xmax(deletion.snapshot) desc nulls last,
        (select count(*) from pg_snapshot_xip(deletion.snapshot)),
        deletion.is_recorded desc
),

missing as materialized (
    select
        latest.crew_id,
        latest.session_id,
        latest.deleted_at,
        latest.snapshot,
        latest.xid
    from latest
    inner join app.crews as crew on crew.id = latest.crew_id
    left join app.conversations as conversation
        on conversation.crew_id = latest.crew_id and conversation.session_id = latest.session_id
    left join analytics.refused_conversations as refused
        on refused.crew_id = latest.crew_id
            and refused.session_id = latest.session_id
            and refused.refused_at >= latest.deleted_at
    where not latest.is_recorded
        and conversation.id is null
        and refused.crew_id is null
        and analytics.is_usable_session(latest.session_id)
),

lockable as materialized (
    select locked.crew_id
    from analytics.lock_parents('crews', array(select distinct crew_id from missing)) as locked (crew_id)
),

written as (
    insert into analytics.deleted_conversations (crew_id, session_id, deleted_at, snapshot, xid)
    select
        crew_id,
        session_id,
        deleted_at,
        snapshot,
        xid
    from missing
    where crew_id in (select crew_id from lockable)
    order by crew_id, session_id
    limit %(rows)s
    on conflict (crew_id, session_id) do update set
        deleted_at = excluded.deleted_at,
        snapshot = excluded.snapshot,
        xid = excluded.xid
    returning 1
),

left_for_later as (
    insert into analytics.conversations_changes (crew_id, session_id, operation, logged_at, snapshot, xids)
    select
        crew_id,
        session_id,
        'delete',
        deleted_at,
        snapshot,
        array[xid]
    from missing
    where %(is_last)s and crew_id not in (select crew_id from lockable)
)

select count(*) as rows from written;
