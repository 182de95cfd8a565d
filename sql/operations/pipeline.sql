-- name: conversations
-- The named conversations, and those of the named persons: where they are linked, and where one of their identifiers is a
-- recipient or the session id.
-- in:  %(asked_people)s, %(asked_conversations)s
-- out: one row per conversation: conversation_id, and of a crew's session crew_id, session_id
with named as (
    select
        shared.source,
        shared.source_id
    from unnest(%(asked_people)s::uuid[]) as person (id)
    inner join analytics.identifiers as held on held.person_id = person.id
    inner join analytics.identifiers as shared on shared.identifier = held.identifier
),

found as (
    select unnest(%(asked_conversations)s::uuid[]) as id
    union
    select link.conversation_id
    from unnest(%(asked_people)s::uuid[]) as person (id)
    inner join analytics.people_conversations as link on link.person_id = person.id
    union
    select message.conversation_id
    from named
    inner join app.message_recipients as recipient on recipient.contact_method_id = named.source_id
    inner join app.messages as message on message.id = recipient.message_id
    where named.source = 'contact_method'
    union
    select source_id from named
    where source = 'conversation'
)

select
    found.id as conversation_id,
    conversation.crew_id,
    conversation.session_id
from found
inner join app.conversations as conversation on conversation.id = found.id;


-- name: unknown
-- Named persons and conversations that the application does not have.
-- in:  %(asked_people)s, %(asked_conversations)s
-- out: one row per id: kind (person or conversation), id
select
    'person' as kind,
    id
from unnest(%(asked_people)s::uuid[]) as asked (id)
where not exists (select from app.people where people.id = asked.id)
union all
select
    'conversation',
    id
from unnest(%(asked_conversations)s::uuid[]) as asked (id)
where not exists (select from app.conversations where conversations.id = asked.id);
