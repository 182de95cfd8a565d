-- in: %(key)s: a person
select distinct conversation.id
from app.people as person
inner join plain.participants as participant on participant.person_id = person.id
inner join app.contact_methods as contact on contact.id = participant.contact_method_id
inner join app.message_recipients as recipient on recipient.contact_method_id = contact.id
inner join app.messages as message on message.id = recipient.message_id
inner join app.conversations as conversation on conversation.id = message.conversation_id
where person.id = %(key)s;
