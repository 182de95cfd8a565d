-- Logs retries: the sessions of locked rows, and when the log says that they got new messages.
-- in:  diff; %(source)s: `<table> retry`; %(unread_since)s: the watermark, or null
with locked as materialized (
    select distinct
        crew_id,
        session_id
    from pg_temp.diff
    where change = 'locked'
),

news as (
    select
        crew_id,
        session_id,
        max(logged_at) as new_at
    from analytics.conversation_changes
    where analytics.is_unread(xid, %(unread_since)s::pg_snapshot)
        and source in ('histories_sessions', %(source)s)
        and operation = 'insert'
        and (crew_id, session_id) in (select crew_id, session_id from locked)
    group by crew_id, session_id
)

insert into analytics.conversation_changes (source, crew_id, session_id, operation, logged_at)
select
    %(source)s,
    crew_id,
    session_id,
    case when news.new_at is null then 'update' else 'insert' end,
    coalesce(news.new_at, now())
from locked
left join news using (crew_id, session_id);
