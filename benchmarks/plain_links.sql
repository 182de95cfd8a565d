-- The one statement per table that fills the link tables once, and can do nothing else.
-- in: plain.participants: whose each contact method is
insert into plain.people_conversations (person_id, conversation_id)
select distinct
    participant.person_id,
    message.conversation_id
from app.messages as message
inner join app.message_recipients as recipient on recipient.message_id = message.id
inner join plain.participants as participant on participant.contact_method_id = recipient.contact_method_id
on conflict do nothing;

insert into plain.clients_conversations (client_id, conversation_id)
select distinct
    person.client_id,
    message.conversation_id
from app.messages as message
inner join app.message_recipients as recipient on recipient.message_id = message.id
inner join plain.participants as participant on participant.contact_method_id = recipient.contact_method_id
inner join app.people as person on person.id = participant.person_id
on conflict do nothing;
