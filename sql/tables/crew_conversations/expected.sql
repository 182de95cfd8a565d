-- Adds the sessions whose conversation is refused to those with unread changes: that it is missing, or fits by now, is no drift.
-- in:  keys
insert into keys (crew_id, session_id)
select
    crew_id,
    session_id
from analytics.refused_conversations;
