-- Which of the sessions that somebody asks for have messages.
-- in:  %(asked_crews)s, %(asked_sessions)s: pair by pair
-- out: one row per session that has: crew_code, session_id
select
    crew.crew_code,
    asked.session_id
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as asked (crew_id, session_id)
inner join app.crews as crew on crew.id = asked.crew_id
where exists (
    select from analytics.histories_sessions as day
    where day.crew_id = asked.crew_id and day.session_id = asked.session_id
);
