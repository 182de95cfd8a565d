-- A customer's latest conversations that have messages, newest first.
-- in:  %(customer)s: id; %(rows)s: maximum number
-- out: the columns of analytics.customer_conversations
select * from analytics.customer_conversations
where customer_id = %(customer)s::uuid
order by started_at desc
limit %(rows)s;
