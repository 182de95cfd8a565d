-- Conversations without the link to a person of one of their recipients, or to the one their session id names.
-- in:  keys: what the next tick will see to
-- out: conversation_id, person_id
with participants as (
    select
        message.conversation_id,
        resolution.person_id,
        resolution.method
    from app.message_recipients as recipient
    inner join app.messages as message on message.id = recipient.message_id
    inner join analytics.participant_resolutions as resolution
        on resolution.contact_method_id = recipient.contact_method_id
    where resolution.person_id is not null
    union
    select
        conversation_id,
        person_id,
        null
    from analytics.session_resolutions
    where person_id is not null
)

select distinct
    participants.conversation_id,
    participants.person_id
from participants
inner join app.conversations as conversation on conversation.id = participants.conversation_id
inner join app.people as person on person.id = participants.person_id
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
where (participants.method = 'manual' or coalesce(owner.client_id, person.client_id) = person.client_id)
    and not exists (
        select from analytics.people_conversations as link
        where link.person_id = participants.person_id and link.conversation_id = participants.conversation_id
    )
    and conversation.id not in (select id from keys);
