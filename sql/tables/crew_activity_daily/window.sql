-- Days of crews with activity in a window.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: crew_id, activity_date
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
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date;
