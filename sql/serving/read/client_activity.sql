-- The activity of clients by UTC day.
-- in:  %(client)s: client_code, or null for all; %(start)s, %(end)s: UTC days in this half-open span, or null
-- out: the columns of analytics.client_activity_daily
select * from analytics.client_activity_daily
where (%(client)s::text is null or client_code = %(client)s)
    and (%(start)s::timestamptz is null or activity_date >= (%(start)s::timestamptz at time zone 'UTC')::date)
    and (%(end)s::timestamptz is null or activity_date < (%(end)s::timestamptz at time zone 'UTC')::date)
order by activity_date, client_code;
