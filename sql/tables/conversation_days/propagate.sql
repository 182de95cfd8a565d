-- Logs the days of clients that changed, for client_activity_daily.
-- in:  diff
-- out: conversation_changes
insert into analytics.conversation_changes (source, client_id, activity_date, operation)
select distinct
    'conversation_days',
    client_id,
    activity_date,
    'update'
from pg_temp.diff
where change <> 'locked';
