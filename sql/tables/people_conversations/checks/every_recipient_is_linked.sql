-- Conversations without the link to somebody who is in them.
-- in:  keys: what the next tick will see to
-- out: conversation_id, person_id
select distinct
    conversation_id,
    person_id
from analytics.conversation_people as participant
where not exists (
    select from analytics.people_conversations as link
    where link.person_id = participant.person_id and link.conversation_id = participant.conversation_id
)
and conversation_id not in (select conversation_id from keys);
