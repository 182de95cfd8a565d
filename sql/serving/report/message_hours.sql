-- E-mail and chat messages of clients' conversations, by weekday and hour.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: sent in this half-open span
-- out: weekday (1: Monday) and hour, UTC; messages
select
    extract(isodow from message.sent_at at time zone 'UTC')::int as weekday,
    extract(hour from message.sent_at at time zone 'UTC')::int as hour,
    count(*) as messages
from app.messages as message
inner join analytics.conversation_summaries as summary
    on summary.conversation_id = message.conversation_id and summary.source = 'messages'
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and message.sent_at >= %(start)s and message.sent_at < %(end)s
group by 1, 2;
