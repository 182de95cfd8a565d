-- The keys with activity in a window. Derived from rows.sql and `days` in table.toml by `make keys`: edit these.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: conversation_id
select conversations.id as conversation_id
from app.conversations
where conversations.started_at >= %(window_start)s::timestamptz
    and conversations.started_at < %(window_end)s::timestamptz
    and conversations.id is not null
union
select messages.conversation_id
from app.messages
where messages.sent_at >= %(window_start)s::timestamptz
    and messages.sent_at < %(window_end)s::timestamptz
    and messages.conversation_id is not null
union
select conversations.id as conversation_id
from analytics.histories_sessions
inner join app.conversations
    on conversations.crew_id = histories_sessions.crew_id and conversations.session_id::text = histories_sessions.session_id
where histories_sessions.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and histories_sessions.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select conversation_summaries.conversation_id
from analytics.conversation_summaries
where conversation_summaries.ended_at >= %(window_start)s::timestamptz
    and conversation_summaries.started_at < %(window_end)s::timestamptz
    and conversation_summaries.conversation_id is not null;
