-- Logs again the conversations that a refresh left for later.
-- in:  diff, {column}: the conversation; %(source)s: what its next tick looks for
insert into analytics.conversation_changes (source, conversation_id, operation)
select distinct
    %(source)s,
    {column},
    'update'
from diff
where change = 'locked';
