-- The requested sessions whose conversation the application refuses.
-- in:  %(asked_crews)s, %(asked_sessions)s: parallel arrays
-- out: one row per such session: crew_code, session_id, refused_by
select
    crew.crew_code,
    requested.session_id,
    refused.refused_by
from unnest(%(asked_crews)s::uuid[], %(asked_sessions)s::text[]) as requested (crew_id, session_id)
inner join app.crews as crew on crew.id = requested.crew_id
inner join analytics.refused_conversations as refused
    on refused.crew_id = requested.crew_id and refused.session_id = requested.session_id;
