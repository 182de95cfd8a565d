-- out: conversations with more than one project
select
    conversation_id,
    count(*) as rows
from analytics.project_conversations
group by conversation_id
having count(*) > 1
limit 1000;
