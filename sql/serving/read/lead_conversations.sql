-- A lead's latest conversations that have messages, newest first.
-- in:  %(lead)s: id; %(rows)s: maximum number
-- out: the columns of analytics.lead_conversations
select * from analytics.lead_conversations
where lead_id = %(lead)s::uuid
order by started_at desc
limit %(rows)s;
