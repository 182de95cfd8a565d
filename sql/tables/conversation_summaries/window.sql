-- Conversations with activity in a window.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: conversation_id
select id as conversation_id from app.conversations
where started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
union
select conversation_id from app.messages
where sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
union
select conversation.id
from analytics.histories_sessions as day
inner join app.conversations as conversation
    on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
where day.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and day.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select conversation_id from analytics.conversation_summaries
where started_at < %(window_end)s::timestamptz and ended_at >= %(window_start)s::timestamptz;
