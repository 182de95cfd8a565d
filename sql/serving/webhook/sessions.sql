-- The requested sessions that have messages.
-- in:  %(asked_crews)s, %(asked_sessions)s: parallel arrays
-- out: one row per session that has: crew_code, session_id
select
    crew.crew_code,
    requested.session_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as requested (crew_id, session_id)
inner join app.crews as crew on crew.id = requested.crew_id
where exists (
    select from analytics.histories_sessions as day
    where day.crew_id = requested.crew_id and day.session_id = requested.session_id
);
