-- The keys with activity in a window. Derived from rows.sql and `days` in table.toml by `make keys`: edit these.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: crew_id, activity_date
select
    histories_sessions.crew_id,
    histories_sessions.activity_date
from analytics.histories_sessions
where histories_sessions.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and histories_sessions.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    and histories_sessions.crew_id is not null
    and histories_sessions.activity_date is not null
union
select
    crew_activity_daily.crew_id,
    crew_activity_daily.activity_date
from analytics.crew_activity_daily
where crew_activity_daily.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and crew_activity_daily.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    and crew_activity_daily.crew_id is not null
    and crew_activity_daily.activity_date is not null;
