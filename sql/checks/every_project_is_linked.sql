-- Conversations whose link is not to the project they name.
-- in:  %(pending_since)s: conversations written from here on are not expected yet
-- out: conversation_id, project_id (as named), linked_to
select
    conversation.id as conversation_id,
    conversation.project_id,
    link.project_id as linked_to
from app.conversations as conversation
left join analytics.project_conversations as link on link.conversation_id = conversation.id
where conversation.project_id is not null
    and conversation.project_id is distinct from link.project_id
    and conversation.updated_at < %(pending_since)s
limit 1000;
