-- Conversations with activity in a window.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: conversation_id
select id as conversation_id from app.conversations
where started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz;
