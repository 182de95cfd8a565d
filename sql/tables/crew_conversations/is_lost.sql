-- Whether the application has changed or deleted conversations again that were inserted for sessions, as a trigger may.
-- in:  %(saved)s: jsonb, the crew_id and session_id of each
-- out: one row: is_lost
select count(*) > 0 as is_lost
from jsonb_to_recordset(%(saved)s::jsonb) as saved (crew_id uuid, session_id text)
where not exists (
    select from app.conversations as written
    where written.crew_id = saved.crew_id and written.session_id = saved.session_id
);
