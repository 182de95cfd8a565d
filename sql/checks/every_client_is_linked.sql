-- Conversations without the link to the client of one of their persons or of their crew.
-- in:  keys: what the next tick will see to
-- out: conversation_id, client_id
with wanted as (
    select
        link.conversation_id,
        person.client_id
    from analytics.people_conversations as link
    inner join app.people as person on person.id = link.person_id
    union
    select
        conversation.id,
        owner.client_id
    from app.conversations as conversation
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
    where conversation.crew_id is not null and owner.client_id is not null
)

select
    conversation_id,
    client_id
from wanted
where not exists (
    select from analytics.clients_conversations as link
    where link.client_id = wanted.client_id and link.conversation_id = wanted.conversation_id
)
and conversation_id not in (select id from keys);
