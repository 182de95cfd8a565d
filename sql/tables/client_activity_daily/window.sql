-- Days of clients with activity in a window.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: client_id, activity_date
select
    client_id,
    activity_date
from analytics.conversation_days
where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
union
select
    client_id,
    activity_date
from analytics.client_activity_daily
where activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date;
