-- The conversations of sessions that a caller names.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair
-- out: conversation_id
select conversation.id as conversation_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
inner join app.conversations as conversation
    on conversation.crew_id = asked.crew_id and conversation.session_id = asked.session_id;
