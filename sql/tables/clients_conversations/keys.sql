-- Conversations whose clients may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select id as conversation_id from analytics.conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select conversation_id from analytics.people_conversations_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select link.conversation_id
from analytics.people_changes as change
inner join analytics.people_conversations as link on link.person_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select conversation.id
from analytics.crews_changes as change
inner join app.conversations as conversation on conversation.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and conversation.client_id is null
union
select link.conversation_id
from analytics.clients_changes as change
inner join analytics.clients_conversations as link on link.client_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete'
union
select link.conversation_id
from analytics.clients_changes as change
cross join lateral (  -- no index serves it: only for a client that was inserted
    select conversation_id from analytics.conversation_clients
    where client_id = change.id
    offset 0
) as link
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'insert';
