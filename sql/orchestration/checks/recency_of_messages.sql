-- out: the plan of a query for a conversation's latest messages
explain (costs off)
select * from app.messages
where conversation_id = '00000000-0000-0000-0000-000000000000'
order by created_at desc
limit 50;
