-- Logs retries: the sessions of locked rows, and which transactions wrote their new messages.
-- in:  diff; %(retry_source)s: `<table> retry`; %(unread_since)s: the watermark, or null
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
    from analytics.conversation_changes as change
    cross join lateral unnest(change.xids) as writer (xid)
    where change.xid >= coalesce(pg_snapshot_xmin(%(unread_since)s::pg_snapshot), '0'::xid8)
        and change.source in ('histories_sessions', %(retry_source)s)
        and (change.crew_id, change.session_id) in (select crew_id, session_id from locked)
    group by change.crew_id, change.session_id
)

insert into analytics.conversation_changes (source, crew_id, session_id, operation, xids)
select
    %(retry_source)s,
    crew_id,
    session_id,
    'update',
    news.xids
from locked
left join news using (crew_id, session_id);
