-- The conversations that were inserted for sessions.
-- in:  diff; app.conversations
-- out: id, crew_id, session_id
select
    conversation.id,
    diff.crew_id,
    diff.session_id
from diff
inner join app.conversations as conversation
    on conversation.crew_id = diff.crew_id and conversation.session_id = diff.session_id
where diff.change = 'inserted'
