-- Links of a person of one client to a conversation of another. Matching never crosses clients, so either the application set
-- the contact method's person_id to this person, or the row was modified by hand. Correct person_id, or the conversation's
-- client_id.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, its client, person_id, the person's client
select
    link.conversation_id,
    owner.client_code as conversation_of,
    link.person_id,
    other.client_code as person_of
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
inner join analytics.conversation_owners as owned on owned.conversation_id = conversation.id
inner join app.clients as owner on owner.id = owned.client_id
inner join app.clients as other on other.id = person.client_id
where owner.id <> other.id
    and conversation.id not in (select conversation_id from pg_temp.keys);
