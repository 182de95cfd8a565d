-- Sessions that somebody asks for.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair; %(after)s, %(rows)s as in every_session.sql
-- out: keys (crew_id, session_id, position)
create temporary table keys on commit drop as
select
    crew_id,
    session_id,
    crew_id || ' ' || session_id as position
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
where %(after)s::text is null
    or (crew_id, session_id) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38))
order by crew_id, session_id
limit %(rows)s;
