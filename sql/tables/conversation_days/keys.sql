-- Conversations whose days may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select conversation_id from analytics.conversation_summaries_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select id from analytics.conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select conversation_id from analytics.messages_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select conversation.id
from analytics.histories_sessions_changes as change
inner join app.conversations as conversation
    on conversation.crew_id = change.crew_id and conversation.session_id = change.session_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);
