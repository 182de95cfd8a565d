-- in: :conversations: ids
select
    message.conversation_id,
    participant.person_id,
    person.client_id
from app.messages as message
inner join app.message_recipients as recipient on recipient.message_id = message.id
inner join plain.participants as participant on participant.contact_method_id = recipient.contact_method_id
inner join app.people as person on person.id = participant.person_id
where message.conversation_id = any(:conversations);
