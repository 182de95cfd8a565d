-- The last message of clients' conversations; messages dated in the future are ignored.
-- in:  %(client)s: client_code, or null for all
-- out: at most one row: sent_at
select max(summary.ended_at) as sent_at
from analytics.conversation_summaries as summary
inner join app.clients as client on client.id = summary.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and summary.ended_at < now() + interval '1 day' and summary.ended_at >= '1970-01-01'
having max(summary.ended_at) is not null;
