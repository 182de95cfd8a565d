-- out: sessions with more than one conversation
select
    crew_id,
    session_id,
    count(*) as conversations
from app.conversations
where crew_id is not null and session_id is not null
group by crew_id, session_id
having count(*) > 1
limit 1000;
