-- Crews' days, in order.
-- in:  %(after)s: position after which to go on, or null; %(rows)s: how many; %(crew_ids)s: only of these crews, or null
-- out: keys (crew_id, activity_date, position)
create temporary table keys on commit drop as
select
    crew_id,
    activity_date,
    crew_id || ' ' || to_char(activity_date, 'YYYY-MM-DD') as position
from (
    (
        select distinct
            crew_id,
            activity_date
        from analytics.histories_sessions
        where (
                %(after)s::text is null
                or (crew_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
            )
            and (%(crew_ids)s::uuid[] is null or crew_id = any(%(crew_ids)s::uuid[]))
        order by crew_id, activity_date
        limit %(rows)s
    )
    union
    (
        select
            crew_id,
            activity_date
        from analytics.crew_activity_daily
        where (
                %(after)s::text is null
                or (crew_id, activity_date) > (left(%(after)s::text, 36)::uuid, substr(%(after)s::text, 38)::date)
            )
            and (%(crew_ids)s::uuid[] is null or crew_id = any(%(crew_ids)s::uuid[]))
        order by crew_id, activity_date
        limit %(rows)s
    )
) as day
order by crew_id, activity_date
limit %(rows)s;
