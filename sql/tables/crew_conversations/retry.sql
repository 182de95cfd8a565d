-- Logs retries: the sessions of locked rows, and which transactions wrote their new messages.
-- in:  diff; %(unread_since)s: the watermark, or null
with locked as materialized (
    select distinct
        crew_id,
        session_id
    from diff
    where change = 'locked'
),

news as (
    select
        change.crew_id,
        change.session_id,
        array_agg(distinct writer.xid) as xids
    from (
        select crew_id, session_id, xid, xids from analytics.histories_sessions_changes
        union all
        select crew_id, session_id, xid, xids from analytics.crew_conversations_changes
    ) as change
    cross join lateral unnest(change.xids) as writer (xid)
    where change.xid >= coalesce(pg_snapshot_xmin(%(unread_since)s::pg_snapshot), '0'::xid8)
        and (change.crew_id, change.session_id) in (select crew_id, session_id from locked)
    group by change.crew_id, change.session_id
)

insert into analytics.crew_conversations_changes (crew_id, session_id, operation, xids)
select
    crew_id,
    session_id,
    'retry',
    news.xids
from locked
left join news using (crew_id, session_id);
