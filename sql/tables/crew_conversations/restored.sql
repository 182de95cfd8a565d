-- deleted_conversations: those whose sessions got new messages since, as far as the log tells, are forgotten.
-- This is for when the log is about to go; crew_conversations finds out for itself.
delete from analytics.deleted_conversations as target
using analytics.conversation_changes as change
where change.source = 'histories_sessions'
    and change.operation = 'insert'
    and change.crew_id = target.crew_id
    and change.session_id = target.session_id
    and change.logged_at >= target.deleted_at;
