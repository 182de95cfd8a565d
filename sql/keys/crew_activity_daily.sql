-- Crews' days that may have changed.
-- in:  %(window_start)s, %(window_end)s: in it, half-open, or null;
--      %(seen)s, %(taken)s: with changes logged between these snapshots, or null;
--      %(after)s, %(rows)s, %(crew_ids)s as in every_crew_day.sql
-- out: keys (crew_id, activity_date, position)
create temporary table keys on commit drop as
select
    crew_id,
    activity_date,
    crew_id || ' ' || to_char(activity_date, 'YYYY-MM-DD') as position
from (
    select
        crew_id,
        activity_date
    from analytics.histories_sessions
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select
        crew_id,
        activity_date
    from analytics.crew_activity_daily
    where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
        and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    union
    select
        crew_id,
        activity_date
    from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('histories_sessions', 'crew_activity_daily retry') and activity_date is not null
    union
    select
        day.crew_id,
        day.activity_date
    from analytics.identifier_changes as change
    inner join app.crews as crew on crew.id = change.id
    inner join analytics.histories_sessions as day on day.crew_id = crew.id
    left join analytics.crew_activity_daily as present using (crew_id, activity_date)
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'crews'
        and (present.crew_code, present.crew_name, present.client_id)
            is distinct from (crew.crew_code, crew.name, crew.client_id)
) as changed
where (
        %(after)s::text is null
        or (crew_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
    )
    and (%(crew_ids)s::uuid[] is null or crew_id = any(%(crew_ids)s::uuid[]))
order by crew_id, activity_date
limit %(rows)s;
