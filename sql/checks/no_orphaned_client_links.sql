-- out: links to a client or a conversation that does not exist
select
    link.id,
    link.client_id,
    link.conversation_id,
    case when client.id is null then 'client' else 'conversation' end as missing
from analytics.clients_conversations as link
left join app.clients as client on client.id = link.client_id
left join app.conversations as conversation on conversation.id = link.conversation_id
where client.id is null or conversation.id is null
limit 1000;
