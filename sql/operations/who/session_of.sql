-- The session of a crew's conversation.
-- in:  %(id)s: the conversation
-- out: session_id; no row if it is no conversation of a crew
select session_id::text
from app.conversations
where id = %(id)s::uuid and crew_id is not null and session_id is not null;
