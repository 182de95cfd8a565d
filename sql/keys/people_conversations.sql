-- Conversations whose people may have changed.
-- in:  %(window_start)s, %(window_end)s: started or with messages sent in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s, %(client_ids)s as in every_conversation.sql
-- out: keys (id, position)
create temporary table keys on commit drop as
with renewed as (  -- what names persons whose links went with them, if they are there again
    select
        named.source,
        named.source_id
    from analytics.identifier_changes as change
    inner join analytics.identifiers as held on held.person_id = change.id
    inner join analytics.identifiers as named on named.identifier = held.identifier
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'people' and change.operation <> 'update'
),

contacts as (
    select id from analytics.identifier_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and source = 'participant_resolutions'
    union
    select source_id from renewed
    where source = 'contact_method'
)

select
    id,
    id::text as position
from (
    select id from app.conversations
    where started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
    union
    select conversation_id from app.messages
    where sent_at >= %(window_start)s::timestamptz and sent_at < %(window_end)s::timestamptz
    union
    select conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('conversations', 'messages', 'participant_resolutions', 'people_conversations retry')
        and conversation_id is not null
    union
    select message.conversation_id
    from analytics.message_changes as change
    inner join app.messages as message on message.id = change.message_id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
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
    from analytics.identifier_changes as change
    inner join analytics.people_conversations as link on link.person_id = change.id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and change.source = 'people'
    union
    select conversation.id
    from analytics.identifier_changes as change
    inner join app.conversations as conversation on conversation.crew_id = change.id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'crews' and conversation.client_id is null
) as changed
where (%(after)s::uuid is null or id > %(after)s::uuid)
    and (
        %(crew_ids)s::uuid[] is null
        or id in (
            select id from app.conversations
            where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
        )
    )
order by id
limit %(rows)s;
