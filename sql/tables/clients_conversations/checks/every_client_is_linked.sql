-- Conversations without a link to the client that they belong to, or to that of a linked person: run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, client_id
select distinct
    conversation_id,
    client_id
from analytics.conversation_clients as wanted
where not exists (
    select from analytics.clients_conversations as link
    where link.client_id = wanted.client_id and link.conversation_id = wanted.conversation_id
)
and conversation_id not in (select conversation_id from pg_temp.keys);
