-- clients_conversations: one link per client and conversation of analytics.conversation_clients, with the columns by which
-- pages of conversations are sorted and filtered.
-- in:  keys: conversations
select distinct
    link.client_id,
    link.conversation_id,
    conversation.channel::text as channel,
    conversation.crew_id,
    conversation.project_id,
    case when analytics.is_usable_time(conversation.started_at) then conversation.started_at::timestamptz end as started_at,
    case when analytics.is_usable_time(conversation.closed_at) then conversation.closed_at::timestamptz end as closed_at
from analytics.conversation_clients as link
inner join app.conversations as conversation on conversation.id = link.conversation_id
inner join app.clients as client on client.id = link.client_id
where link.conversation_id = any(array(select conversation_id from keys));
