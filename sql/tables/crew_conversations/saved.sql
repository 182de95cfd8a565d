-- The conversations that were inserted for sessions.
-- in:  diff; app.conversations
-- out: id, crew_id, session_id
select
    conversation.id,
    diff.crew_id,
    diff.session_id
from diff
cross join lateral (
    select id from app.conversations
    where crew_id = diff.crew_id and session_id = diff.session_id
    limit 1
) as conversation
where diff.change = 'inserted'
