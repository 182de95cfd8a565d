-- Logs retries: the conversations of locked rows.
-- in:  diff, {column}: the conversation; %(source)s: `<table> retry`
insert into analytics.conversation_changes (source, conversation_id, operation)
select distinct
    %(source)s,
    {column},
    'update'
from pg_temp.diff
where change = 'locked';
