-- Deletes from deleted_conversations sessions that have got new messages since, according to the log. For use before a log is
-- emptied; write.sql does it otherwise.
delete from analytics.deleted_conversations as target
using analytics.conversation_changes as change
where change.source = 'histories_sessions'
    and change.operation = 'insert'
    and change.crew_id = target.crew_id
    and change.session_id = target.session_id
    and change.logged_at >= target.deleted_at;
