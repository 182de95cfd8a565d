-- in:  different
-- out: conversation_changes: conversations whose summary is another now
insert into analytics.conversation_changes (source, conversation_id, operation)
select
    'conversation_summaries',
    conversation_id,
    'update'
from different
where change <> 'locked';
