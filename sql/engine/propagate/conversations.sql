-- Logs the conversations whose rows a refresh changed, for the tables that follow.
-- in:  diff; %(source)s: the table; %(written_at)s: when the oldest change was made, or null; %(is_awaited)s: whether one of
--      these has begun to read it
-- out: conversation_changes
insert into analytics.conversation_changes (source, conversation_id, operation, logged_at)
select distinct
    %(source)s,
    conversation_id,
    'update',
    coalesce(%(written_at)s::timestamptz, now())
from diff
where change <> 'locked' and %(is_awaited)s;
