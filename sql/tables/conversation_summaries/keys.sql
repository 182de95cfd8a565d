-- Conversations whose summary may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select id as conversation_id from analytics.conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select conversation_id from analytics.messages_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select conversation.id
from analytics.histories_sessions_changes as change
inner join app.conversations as conversation
    on conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select message.conversation_id
from analytics.message_recipients_changes as change
inner join app.messages as message on message.id = change.message_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select conversation.id
from analytics.crews_changes as change
inner join app.conversations as conversation on conversation.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and conversation.client_id is null;
