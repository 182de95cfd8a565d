-- Logs retries: the conversations of locked rows.
-- in:  diff, {column}: the conversation; %(retry_source)s: `<table> retry`
insert into analytics.conversation_changes (source, conversation_id, operation)
select distinct
    %(retry_source)s,
    {column},
    'update'
from diff
where change = 'locked';
