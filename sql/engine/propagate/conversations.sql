-- Logs the conversations whose rows a refresh changed, for the tables that follow.
-- in:  diff; %(source)s: the table; %(written_at)s: when the oldest change was made, or null
-- out: conversation_changes
insert into analytics.conversation_changes (source, conversation_id, operation, logged_at)
select distinct
    %(source)s,
    conversation_id,
    'update',
    coalesce(%(written_at)s::timestamptz, now())
from diff
where change <> 'locked';
