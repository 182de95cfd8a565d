-- in:  different
-- out: conversation_changes: conversations that came to another project
insert into analytics.conversation_changes (source, conversation_id, operation)
select
    'project_conversations',
    conversation_id,
    'update'
from different
where change <> 'locked';
