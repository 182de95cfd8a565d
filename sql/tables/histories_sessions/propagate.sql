-- Logs the session-days that changed, and whether they have new messages.
-- in:  diff
-- out: conversation_changes
insert into analytics.conversation_changes (source, crew_id, session_id, activity_date, operation, logged_at)
select
    'histories_sessions',
    crew_id,
    session_id,
    activity_date,
    case when is_news then 'insert' else 'update' end,
    clock_timestamp()
from pg_temp.diff
where change <> 'locked';
