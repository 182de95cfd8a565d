-- The activity of crews by UTC day.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: UTC days in this half-open span, or null
-- out: the columns of analytics.crew_activity_daily
select activity.*
from analytics.crew_activity_daily as activity
inner join analytics.client_names as client on client.client_id = activity.client_id
where (%(client)s::text is null or client.client_code = %(client)s)
    and (%(start)s::timestamptz is null or activity_date >= (%(start)s::timestamptz at time zone 'UTC')::date)
    and (%(end)s::timestamptz is null or activity_date < (%(end)s::timestamptz at time zone 'UTC')::date)
order by activity_date, crew_code;
