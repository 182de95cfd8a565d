-- Logs the days of clients that changed, for client_activity_daily.
-- in:  diff; %(written_at)s: when the oldest change was made, or null
-- out: conversation_changes
insert into analytics.conversation_changes (source, client_id, activity_date, operation, logged_at)
select distinct
    'conversation_days',
    client_id,
    activity_date,
    'update',
    coalesce(%(written_at)s::timestamptz, now())
from diff
where change <> 'locked';
