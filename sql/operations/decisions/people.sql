-- The persons in the conversations in which an identifier occurs.
-- in:  {conversations}: those in which it occurs; %(key)s: the identifier, or the id of a contact method without one
-- out: client, person_id, person, conversation_id, channel, started_at
select distinct
    client.client_code as client,
    person.id as person_id,
    person.name as person,
    conversation.id as conversation_id,
    conversation.channel,
    to_char(conversation.started_at, 'YYYY-MM-DD HH24:MI') as started_at
from analytics.conversation_people as party
inner join app.people as person on person.id = party.person_id
inner join app.clients as client on client.id = person.client_id
inner join app.conversations as conversation on conversation.id = party.conversation_id
where party.conversation_id = any(array(
{conversations}
));
