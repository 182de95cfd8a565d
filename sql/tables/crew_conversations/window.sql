-- Sessions with activity in a window.
-- By hand: rows.sql is about deletions, which a function reads.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: crew_id, session_id
select
    crew_id,
    session_id
from analytics.histories_sessions
where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date;
