-- The sessions that a caller names.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair
-- out: crew_id, session_id
select
    crew_id,
    session_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id);
