-- Persons linked to a conversation that belongs to another client.
-- in:  %(pending_since)s: conversations with anything changed from here on are not expected to be right yet
-- out: conversation_id, its client, person_id, the person's client
select
    link.conversation_id,
    owner.client_code as conversation_of,
    link.person_id,
    other.client_code as person_of
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.crews as crew on crew.id = conversation.crew_id
inner join app.clients as owner on owner.id = coalesce(crew.client_id, conversation.client_id)
inner join app.clients as other on other.id = person.client_id
where owner.id <> other.id
    and conversation.id not in (
        select conversation_id from analytics.conversation_changes
        where changed_at >= %(pending_since)s and not is_activity
    )
limit 1000;
