-- The client of each conversation.
-- out: conversation_id, client_code
select
    owner.conversation_id,
    client.client_code
from analytics.conversation_owners as owner
inner join analytics.client_names as client on client.client_id = owner.client_id;
