-- Crews' sessions, in the order of crews and sessions.
-- in:  %(after)s: position after which to go on, or null; %(rows)s: how many; %(crew_ids)s: only of these crews, or null
-- out: keys (crew_id, session_id, position)
create temporary table keys on commit drop as
select distinct
    crew_id,
    session_id,
    crew_id || ' ' || session_id as position
from analytics.histories_sessions
where (
        %(after)s::text is null
        or (crew_id, session_id) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38))
    )
    and (%(crew_ids)s::uuid[] is null or crew_id = any(%(crew_ids)s::uuid[]))
order by crew_id, session_id
limit %(rows)s;
