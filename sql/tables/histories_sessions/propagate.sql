-- Logs changed session-days with the transactions that wrote them: those that inserted rows; else those that updated rows; else
-- those that had the whole table read; else this one.
-- If no table that follows has been built, it logs only what they need to know of deleted conversations. That is messages that
-- were written one by one. If conversations were deleted, it is all messages. Triggers, while the lake follows, log the rows once
-- more: they do not know these transactions.
-- in:  diff; %(unread_since)s: the watermark, or null; %(written_at)s: when the oldest change was made, or null; %(is_awaited)s:
--      whether one has
-- out: histories_sessions_changes
with sources as (
    select
        state.crew_id,
        unnest(source.members) as table_oid
    from analytics.crew_discovery_state as state
    inner join analytics.capture_state as source on source.table_name = state.histories_table_name
    where state.crew_id in (select crew_id from diff)
),

written as (
    select
        sources.crew_id,
        change.session_id,
        change.activity_date,
        array_agg(distinct writer.xid) filter (where change.operation = 'insert') as inserted_by,
        array_agg(distinct writer.xid) as written_by
    from analytics.session_changes as change
    inner join sources using (table_oid)
    cross join lateral unnest(coalesce(change.xids, array[change.xid])) as writer (xid)
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and change.operation in ('insert', 'update', 'move')
        and (change.session_id, change.activity_date) in (select session_id, activity_date from diff)
    group by sources.crew_id, change.session_id, change.activity_date
),

read_as_a_whole as (
    select
        sources.crew_id,
        array_agg(distinct change.xid) as read_by
    from analytics.session_changes as change
    inner join sources using (table_oid)
    where analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot) and change.operation in ('everything', 'truncate')
    group by sources.crew_id
)

insert into analytics.histories_sessions_changes (crew_id, session_id, activity_date, operation, logged_at, xids)
select
    crew_id,
    session_id,
    activity_date,
    case diff.change when 'inserted' then 'insert' when 'updated' then 'update' else 'delete' end,
    coalesce(%(written_at)s::timestamptz, now()),
    coalesce(
        written.inserted_by,
        case when diff.is_news then coalesce(written.written_by, read_as_a_whole.read_by, array[pg_current_xact_id()]) end
    )
from diff
left join written using (crew_id, session_id, activity_date)
left join read_as_a_whole using (crew_id)
where diff.change <> 'locked'
    and (select analytics.triggers_log('analytics.histories_sessions', %(written_at)s::timestamptz)) is not null
    and (
        %(is_awaited)s
        or written.crew_id is not null
        or exists (select from analytics.deleted_conversations)
        or exists (
            select from analytics.conversations_changes
            where operation in ('delete', 'update') and crew_id is not null
        )
        or exists (
            select from analytics.conversations_changes
            where operation = 'truncate'
        )
    );
