-- Sessions that may lack their conversation.
-- in:  %(window_start)s, %(window_end)s: active in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s as in every_session.sql
-- out: keys (crew_id, session_id, position)
create temporary table keys on commit drop as
select
    crew_id,
    session_id,
    crew_id || ' ' || session_id as position
from (
    select
        crew_id,
        session_id
    from analytics.histories_sessions
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select
        crew_id,
        session_id
    from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('histories_sessions', 'crew_conversations retry') and crew_id is not null
) as changed
where (
        %(after)s::text is null
        or (crew_id, session_id) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38))
    )
    and (%(crew_ids)s::uuid[] is null or crew_id = any(%(crew_ids)s::uuid[]))
order by crew_id, session_id
limit %(rows)s;
