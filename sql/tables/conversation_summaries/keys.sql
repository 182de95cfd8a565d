-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select change.id as conversation_id
from analytics.changed_conversations as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.id is not null
union
select conversations.id as conversation_id
from analytics.histories_sessions_changes as change
inner join app.conversations
    on conversations.crew_id = change.crew_id and conversations.session_id::text = change.session_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select conversations.id as conversation_id
from analytics.changed_crews as change
inner join app.conversations on conversations.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select change.conversation_id
from analytics.changed_messages as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.conversation_id is not null
union
select messages.conversation_id
from analytics.changed_message_recipients as change
inner join app.messages on messages.id = change.message_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);
