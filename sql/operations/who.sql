-- name: conversations
-- Part of other statements: the conversations in which an identifier occurs, as a recipient's, in any role, or as the session id.
-- in:  %(key)s: the identifier, or the id of a contact method without one
-- out: conversation_id
select source_id as conversation_id
from analytics.identifiers
where identifier = %(key)s and source = 'conversation'
union
select message.conversation_id
from analytics.identifiers as named
inner join app.message_recipients as recipient on recipient.contact_method_id = named.source_id
inner join app.messages as message on message.id = recipient.message_id
where named.identifier = %(key)s and named.source = 'contact_method';


-- name: session_of
-- The session of a crew's conversation.
-- in:  %(id)s: the conversation
-- out: kind (of what the session ids of the crew are), session_id; no row if it is no conversation of a crew
select
    coalesce(to_jsonb(crew) ->> 'session_kind', 'session') as kind,
    conversation.session_id::text
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id
where conversation.id = %(id)s::uuid and conversation.crew_id is not null and conversation.session_id is not null;


-- name: contacts
-- The contact methods with an id, value or identifier, and all that have the same identifier.
-- in:  %(id)s: uuid, or null; %(value)s: as the application spells it; %(identifier)s: canonical form, or null
-- out: id, kind, value, is_given (whether the application has set its person); the one with this id first
with requested as (
    select id from app.contact_methods
    where id = %(id)s::uuid or value = %(value)s::text
),

named as (
    select identifier from analytics.identifiers
    where source_id in (select id from requested) and source = 'contact_method'
    union
    select %(identifier)s::text
)

select
    id,
    kind,
    value,
    person_id is not null as is_given
from app.contact_methods
where id in (
    select id from requested
    union
    select source_id from analytics.identifiers
    where identifier in (select identifier from named) and source = 'contact_method'
)
order by id = %(id)s::uuid desc nulls last, is_given, id;


-- name: clients
-- Whom an identifier names in the conversations of each client that knows it.
-- in:  {conversations}: those in which it occurs; %(key)s: the identifier, or the id of a contact method without one
-- out: client (null: conversations without one), status, person_id, person, method, candidates (persons of the client who have
--      it), conversations
with conversations as (
{conversations}
),

clients as (
    select
        owner.client_id,
        count(*) as conversations
    from conversations
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversations.conversation_id
    group by owner.client_id
    union all
    select
        client_id,
        0
    from analytics.identifiers
    where identifier = %(key)s and client_id is not null
),

known as (
    select
        client_id,
        sum(conversations)::bigint as conversations
    from clients
    group by client_id
)

select
    client.client_code as client,
    case
        when person.id is not null then 'resolved'
        when holder.candidate_count > 1 then 'ambiguous'
        else 'unmatched'
    end as status,
    person.id as person_id,
    person.name as person,
    case
        when person.id is null then null
        when holder.is_decided then 'decision'
        else analytics.kind_of(%(key)s)
    end as method,
    holder.candidate_count as candidates,
    known.conversations
from known
cross join lateral analytics.holder_of(array[%(key)s::text], known.client_id) as holder
left join app.clients as client on client.id = known.client_id
left join app.people as person on person.id = holder.person_id
order by client.client_code;


-- name: persons
-- The persons that an identifier may name, with the reason for each.
-- in:  %(key)s: the identifier, or the id of a contact method without one
-- out: client, person_id, person, because, as_written
select
    client.client_code as client,
    named.person_id,
    person.name as person,
    case named.source
        when 'person' then 'the person''s own ' || named.kind
        when 'contact_method' then 'the application gave the person contact method ' || named.source_id
        when 'link' then 'decision ' || named.source_id
        else 'excluded by decision ' || named.source_id
    end as because,
    named.value as as_written
from analytics.identifiers as named
left join app.people as person on person.id = named.person_id
left join app.clients as client on client.id = named.client_id
where named.identifier = %(key)s and named.person_id is not null
order by client.client_code, person.name, named.person_id, named.source;


-- name: contact_methods
-- Contact methods, how each is resolved, and the messages that it is a recipient or sender of.
-- in:  %(ids)s: contact methods
-- out: contact_method_id, kind, value, status (null: no tick has read it yet), method, confidence, candidates, person_id,
--      messages
select
    contact.id as contact_method_id,
    contact.kind,
    contact.value,
    resolution.status,
    resolution.method,
    resolution.confidence,
    resolution.candidate_count as candidates,
    resolution.person_id,
    (select count(distinct message_id) from app.message_recipients where contact_method_id = contact.id) as messages
from app.contact_methods as contact
left join analytics.participant_resolutions as resolution on resolution.contact_method_id = contact.id
where contact.id = any(%(ids)s)
order by contact.kind, contact.value, contact.id;


-- name: sessions
-- The sessions whose id is an identifier, and whom it names.
-- in:  %(key)s: the identifier
-- out: crew, session_id, conversation_id, client, person_id, messages
select
    crew.crew_code as crew,
    conversation.session_id,
    conversation.id as conversation_id,
    client.client_code as client,
    holder.person_id,
    summary.message_count as messages
from analytics.identifiers as named
inner join app.conversations as conversation on conversation.id = named.source_id
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
cross join lateral analytics.holder_of(array[named.identifier], owner.client_id) as holder
left join app.crews as crew on crew.id = conversation.crew_id
left join app.clients as client on client.id = owner.client_id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where named.identifier = %(key)s and named.source = 'conversation'
order by crew.crew_code, conversation.session_id, conversation.id;
