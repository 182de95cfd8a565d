-- The conversations that a caller names, and those of the sessions that it names.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(asked_conversations)s
-- out: conversation_id
select conversation.id as conversation_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
inner join app.conversations as conversation
    on conversation.crew_id = asked.crew_id and conversation.session_id = asked.session_id
union
select unnest(%(asked_conversations)s::uuid[]);
