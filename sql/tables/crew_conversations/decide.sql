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
