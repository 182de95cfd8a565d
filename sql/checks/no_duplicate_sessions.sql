-- out: keys of histories_sessions that stand more than once
select
    crew_id,
    session_id,
    activity_date,
    count(*) as rows
from analytics.histories_sessions
group by crew_id, session_id, activity_date
having count(*) > 1
limit 1000;
