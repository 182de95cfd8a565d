-- The last session of each crew.
-- out: crew_id, session_id, keys (about so many)
select
    crew_id,
    max(session_id) as session_id,
    count(*) as keys
from analytics.histories_sessions
group by crew_id
order by crew_id;
