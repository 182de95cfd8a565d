-- Logs again the sessions whose conversation a refresh left for later, with what the log knows of new messages.
-- in:  {different}; %(source)s: what its next tick looks for; %(unread_since)s: the watermark, or null
insert into analytics.conversation_changes (source, crew_id, session_id, operation, logged_at)
select
    %(source)s,
    different.crew_id,
    different.session_id,
    case when news.new_at is null then 'update' else 'insert' end,
    coalesce(news.new_at, now())
from {different} as different
left join lateral (
    select max(logged_at) as new_at
    from analytics.conversation_changes
    where xid >= pg_snapshot_xmin(%(unread_since)s::pg_snapshot)
        and not pg_visible_in_snapshot(xid, %(unread_since)s::pg_snapshot)
        and source in ('histories_sessions', %(source)s)
        and operation = 'insert'
        and crew_id = different.crew_id
        and session_id = different.session_id
) as news on true
where different.change = 'locked';
