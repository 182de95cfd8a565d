-- people_conversations: one link per person and conversation of analytics.conversation_people.
-- in:  keys: conversations
select distinct
    person_id,
    conversation_id
from analytics.conversation_people
where conversation_id = any(array(select conversation_id from keys));
