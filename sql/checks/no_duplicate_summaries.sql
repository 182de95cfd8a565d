-- out: conversations with more than one summary
select
    conversation_id,
    count(*) as rows
from analytics.conversation_summaries
group by conversation_id
having count(*) > 1
limit 1000;
