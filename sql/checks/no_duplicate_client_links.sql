-- out: pairs of client and conversation that are linked more than once
select
    client_id,
    conversation_id,
    count(*) as rows
from analytics.clients_conversations
group by client_id, conversation_id
having count(*) > 1
limit 1000;
