-- Conversations whose days may have changed.
-- in:  %(window_start)s, %(window_end)s: in a half-open span of time, or null;
--      %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots, or null
-- out: conversation_id
select conversation_id from analytics.conversation_summaries
where started_at < %(window_end)s::timestamptz and ended_at >= %(window_start)s::timestamptz
union
select conversation_id from analytics.conversation_summaries
where closed_at >= %(window_start)s::timestamptz and closed_at < %(window_end)s::timestamptz
union
select conversation_id from app.messages
where sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
union
select conversation_id from analytics.conversation_days
where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select conversation_id from analytics.conversation_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source in ('conversation_summaries', 'conversations', 'messages')
    and conversation_id is not null
union
select conversation.id
from analytics.conversation_changes as change
inner join app.conversations as conversation
    on conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.source = 'histories_sessions';
