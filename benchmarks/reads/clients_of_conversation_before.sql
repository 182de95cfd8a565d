-- in: %(key)s: a conversation
select distinct person.client_id
from app.conversations as conversation
inner join app.messages as message on message.conversation_id = conversation.id
inner join app.message_recipients as recipient on recipient.message_id = message.id
inner join app.contact_methods as contact on contact.id = recipient.contact_method_id
inner join plain.participants as participant on participant.contact_method_id = contact.id
inner join app.people as person on person.id = participant.person_id
where conversation.id = %(key)s;
