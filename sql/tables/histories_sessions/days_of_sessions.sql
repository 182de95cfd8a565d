-- Days of sessions that a caller names, from the whole histories table: for crews whose log does not contain them all.
-- in:  {histories}; %(crew_id)s; %(asked_sessions)s: those of other crews do no harm
-- out: crew_id, session_id, start_day, end_day
select
    %(crew_id)s::uuid as crew_id,
    day.session_id,
    day.activity_date as start_day,
    day.activity_date + 1 as end_day
from (
    select
        session_id::text collate "default" as session_id,
        (created_at at time zone 'UTC')::date as activity_date
    from {histories}
    where created_at >= '0001-01-02'::date::timestamp at time zone 'UTC'
        and created_at < '9999-12-30'::date::timestamp at time zone 'UTC'
        and session_id::text collate "default" = any(%(asked_sessions)s::text[])
    union
    select
        session_id,
        activity_date
    from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid and session_id = any(%(asked_sessions)s::text[])
) as day;
