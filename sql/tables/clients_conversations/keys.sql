-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
select change.conversation_id
from analytics.people_conversations_changes as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.conversation_id is not null
union
select people_conversations.conversation_id
from analytics.changed_people as change
inner join analytics.people_conversations on people_conversations.person_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select change.id as conversation_id
from analytics.changed_conversations as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.id is not null
union
select people_conversations.conversation_id
from analytics.changed_clients as change
inner join app.people on people.client_id = change.id
inner join analytics.people_conversations on people_conversations.person_id = people.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation <> 'update'
union
select conversations.id as conversation_id
from analytics.changed_crews as change
inner join app.conversations on conversations.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select conversations.id as conversation_id
from analytics.changed_clients as change
inner join app.conversations on conversations.client_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation <> 'update'
union
select conversations.id as conversation_id
from analytics.changed_clients as change
inner join app.crews on crews.client_id = change.id
inner join app.conversations on conversations.crew_id = crews.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation <> 'update';
