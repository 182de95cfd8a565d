-- in:  different_sessions
-- out: conversation_changes: conversations whose session id names somebody else now
insert into analytics.conversation_changes (source, conversation_id, operation)
select
    'participant_resolutions',
    conversation_id,
    'update'
from different_sessions
where change <> 'locked';
