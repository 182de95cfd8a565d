-- Logs the conversations whose rows a refresh changed, for the tables that follow.
-- in:  diff; %(source)s: the table
-- out: conversation_changes
insert into analytics.conversation_changes (source, conversation_id, operation)
select distinct
    %(source)s,
    conversation_id,
    'update'
from pg_temp.diff
where change <> 'locked';
