-- out: the plan of a query for a customer's latest conversations
explain (costs off)
select * from app.conversations
where customer_id = '00000000-0000-0000-0000-000000000000'
order by started_at desc
limit 50;
