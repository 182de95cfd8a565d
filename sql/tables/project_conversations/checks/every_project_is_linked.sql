-- Conversations without a link to the project in their project_id: run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, project_id (as named), linked_to
select
    conversation.id as conversation_id,
    conversation.project_id,
    link.project_id as linked_to
from app.conversations as conversation
left join analytics.project_conversations as link on link.conversation_id = conversation.id
where conversation.project_id is not null
    and conversation.project_id is distinct from link.project_id
    and conversation.id not in (select conversation_id from pg_temp.keys);
