-- Conversations without a link to the person of one of their recipients: run `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: conversation_id, person_id
select distinct
    conversation_id,
    person_id
from analytics.conversation_people as participant
where not exists (
    select from analytics.people_conversations as link
    where link.person_id = participant.person_id and link.conversation_id = participant.conversation_id
)
and conversation_id not in (select conversation_id from pg_temp.keys);
