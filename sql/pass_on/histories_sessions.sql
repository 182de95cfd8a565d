-- in:  different
-- out: conversation_changes: sessions whose days are others now, and whether they have new messages
insert into analytics.conversation_changes (source, crew_id, session_id, operation, logged_at)
select
    'histories_sessions',
    crew_id,
    session_id,
    case when bool_or(is_news) then 'insert' else 'update' end,
    clock_timestamp()
from different
where change <> 'locked'
group by crew_id, session_id;
