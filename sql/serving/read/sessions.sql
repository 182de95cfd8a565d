-- Crews' sessions by UTC day.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: UTC days in this half-open span, or null
-- out: crew_code, client_code, session_id, activity_date, the counts and times of the session-day
select
    crew.crew_code,
    client.client_code,
    day.session_id,
    day.activity_date,
    day.message_count,
    day.human_count,
    day.ai_count,
    day.tool_call_count,
    day.first_message_at,
    day.last_message_at
from analytics.histories_sessions as day
inner join analytics.crew_names as crew on crew.crew_id = day.crew_id
left join analytics.conversation_summaries as conversation
    on conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
inner join analytics.client_names as client on client.client_id = coalesce(conversation.client_id, crew.client_id)
where (%(client)s::text is null or client.client_code = %(client)s)
    and (%(start)s::timestamptz is null or day.activity_date >= (%(start)s::timestamptz at time zone 'UTC')::date)
    and (%(end)s::timestamptz is null or day.activity_date < (%(end)s::timestamptz at time zone 'UTC')::date)
order by day.activity_date, crew.crew_code, day.session_id;
