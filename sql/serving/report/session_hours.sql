-- Messages of a crew's sessions that are clients' conversations, by weekday and hour.
-- in:  {histories}; %(crew_id)s; %(client)s: client_code, or null for all; %(start)s, %(end)s: written in this half-open span
-- out: weekday (1: Monday) and hour, UTC; messages
select
    extract(isodow from history.created_at at time zone 'UTC')::int as weekday,
    extract(hour from history.created_at at time zone 'UTC')::int as hour,
    count(*) as messages
from {histories} as history
inner join app.conversations as conversation
    on conversation.crew_id = %(crew_id)s::uuid
    and conversation.session_id = history.session_id::text collate "default"
inner join analytics.conversation_summaries as summary
    on summary.conversation_id = conversation.id and summary.source = 'histories'
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and history.created_at >= %(start)s and history.created_at < %(end)s
group by 1, 2;
