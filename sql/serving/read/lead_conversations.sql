-- A lead's latest conversations that have messages, the latest message first.
-- in:  %(lead)s: id; %(rows)s: maximum number
-- out: the columns of analytics.lead_conversations
select * from analytics.lead_conversations
where lead_id = %(lead)s::uuid
order by ended_at desc, conversation_id
limit %(rows)s;
