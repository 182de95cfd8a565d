-- name: gone_sessions
-- Deletes from deleted_conversations and refused_conversations sessions without session-days, whose conversations cannot come
-- back anyway, and their examples of odd rows.
-- in:  %(unread_since)s: the watermark of crew_conversations, or null: all changes in the log
with gone as materialized (
    select distinct
        change.crew_id,
        change.session_id
    from (
        select crew_id, session_id, xid from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid from analytics.conversations_changes
    ) as change
    where change.session_id is not null
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and not exists (
            select from analytics.histories_sessions as day
            where day.crew_id = change.crew_id and day.session_id = change.session_id
        )
),

examples as (
    update analytics.oddities as oddity
    set example = null
    from gone
    where oddity.crew_id = gone.crew_id and oddity.example = gone.session_id
),

refused as (
    delete from analytics.refused_conversations as target
    using gone
    where target.crew_id = gone.crew_id and target.session_id = gone.session_id
)

delete from analytics.deleted_conversations as target
using gone
where target.crew_id = gone.crew_id and target.session_id = gone.session_id;


-- name: decide
-- Decides deletions by the messages in the log, for use before the log is emptied: sessions that got new messages since are
-- deleted from deleted_conversations; for all others, no message that was logged so far is new.
with news as (
    select
        change.crew_id,
        change.session_id,
        writer.xid
    from (
        select crew_id, session_id, xid, xids from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid, xids from analytics.crew_conversations_changes
    ) as change
    cross join lateral unnest(change.xids) as writer (xid)
    union all
    select
        state.crew_id,
        change.session_id,
        writer.xid
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    cross join lateral unnest(coalesce(change.xids, array[change.xid])) as writer (xid)
    where change.operation = 'insert'
),

restored as (
    delete from analytics.deleted_conversations as target
    using news
    where news.crew_id = target.crew_id
        and news.session_id = target.session_id
        and news.xid is distinct from target.xid
        and pg_visible_in_snapshot(news.xid, target.snapshot) is not true
    returning target.crew_id, target.session_id
)

update analytics.deleted_conversations
set
    snapshot = pg_current_snapshot(),
    xid = pg_current_xact_id()
where (crew_id, session_id) not in (select crew_id, session_id from restored);


-- name: deleted
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
