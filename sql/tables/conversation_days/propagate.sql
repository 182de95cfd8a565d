-- in:  diff
-- out: conversation_changes: clients' days that are others now
insert into analytics.conversation_changes (source, client_id, activity_date, operation)
select distinct
    'conversation_days',
    client_id,
    activity_date,
    'update'
from diff
where change <> 'locked';
