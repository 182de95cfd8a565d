-- name: day
-- The UTC day of a link: that on which its conversation started.
select (conversation.started_at at time zone 'UTC')::date from app.conversations as conversation
where conversation.id = coalesce(wanted.conversation_id, present.conversation_id);


-- name: selected
-- Whether a key is a conversation of the selected crews or clients.
-- in:  %(crew_ids)s, %(client_ids)s
conversation_id in (
    select id from app.conversations
    where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
);


-- name: asked
-- The conversations that a caller names, and those of the sessions that it names.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(asked_conversations)s
-- out: conversation_id
select conversation.id as conversation_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
inner join app.conversations as conversation
    on conversation.crew_id = asked.crew_id and conversation.session_id = asked.session_id
union
select unnest(%(asked_conversations)s::uuid[]);
