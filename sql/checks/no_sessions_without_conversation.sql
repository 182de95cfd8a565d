-- out: sessions that crew_conversations should have given a conversation, but did not
select
    day.crew_id,
    day.session_id,
    min(day.activity_date) as first_day
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id and crew.is_active
where not exists (
    select from app.conversations as conversation
    where conversation.crew_id = day.crew_id and conversation.session_id = day.session_id
)
group by day.crew_id, day.session_id
limit 1000;
