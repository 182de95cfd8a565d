-- Conversations with activity in a window.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
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
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date;
