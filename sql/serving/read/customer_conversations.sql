-- A customer's latest conversations, with or without messages, the latest message first.
-- in:  %(customer)s: id; %(rows)s: maximum number
-- out: the columns of analytics.customer_conversations
select * from analytics.customer_conversations
where customer_id = %(customer)s::uuid
order by coalesce(ended_at, started_at) desc, conversation_id
limit %(rows)s;
