-- out: the five session-days with the latest activity
select
    crew.crew_code as crew,
    day.session_id,
    day.activity_date as day,
    day.message_count as messages,
    day.human_count as human,
    day.ai_count as ai
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
order by day.last_message_at desc
limit 5;
