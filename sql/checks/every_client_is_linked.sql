-- Conversations without the link to the client of one of their persons or of their crew.
-- in:  %(pending_since)s: conversations with anything changed from here on are not expected yet
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
        crew.client_id
    from app.conversations as conversation
    inner join app.crews as crew on crew.id = conversation.crew_id
)

select
    conversation_id,
    client_id
from wanted
where not exists (
    select from analytics.clients_conversations as link
    where link.client_id = wanted.client_id and link.conversation_id = wanted.conversation_id
)
and conversation_id not in (
    select conversation_id from analytics.conversation_changes
    where changed_at >= %(pending_since)s and not is_activity
)
limit 1000;
