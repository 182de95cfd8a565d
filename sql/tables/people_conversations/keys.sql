-- Conversations whose people may have changed.
-- By hand: identifiers have no log of their own; the refresh of participant_resolutions logs for them.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: conversation_id
with renewed as (  -- sources of persons who were deleted, with their links, and inserted again
    select
        named.source,
        named.source_id
    from analytics.changed_people as change
    inner join analytics.identifiers as held on held.person_id = change.id
    inner join analytics.identifiers as named on named.identifier = held.identifier
    where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and change.operation <> 'update'
),

contacts as (
    select contact_method_id as id from analytics.participant_resolutions_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and operation <> 'retry'
    union
    select source_id from renewed
    where source = 'contact_method'
)

select id as conversation_id from analytics.changed_conversations
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
union
select conversation_id from analytics.changed_messages
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select conversation_id from analytics.participant_resolutions_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and conversation_id is not null
union
select message.conversation_id
from analytics.changed_message_recipients as change
inner join app.messages as message on message.id = change.message_id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select message.conversation_id
from contacts
inner join app.message_recipients as recipient on recipient.contact_method_id = contacts.id
inner join app.messages as message on message.id = recipient.message_id
union
select source_id from renewed
where source = 'conversation'
union
select link.conversation_id
from analytics.changed_people as change
inner join analytics.people_conversations as link on link.person_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
union
select conversation.id
from analytics.changed_crews as change
inner join app.conversations as conversation on conversation.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and conversation.client_id is null;
