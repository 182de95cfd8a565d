-- Conversations of a project without a usable time at which they were added.
-- in:  keys: conversations
-- out: kind, rows, example
select
    'conversations without a usable created_at or updated_at' as kind,
    count(*) as rows,
    min(conversation.id::text) as example
from keys
inner join app.conversations as conversation on conversation.id = keys.conversation_id
inner join app.projects as project on project.id = conversation.project_id
where not (analytics.is_usable_time(conversation.created_at) and analytics.is_usable_time(conversation.updated_at));
