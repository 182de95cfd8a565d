-- The keys with activity in a window. Derived from rows.sql and `days` in table.toml by `make keys`: edit these.
-- in:  %(window_start)s, %(window_end)s: a half-open span of time
-- out: client_id, activity_date
select
    conversation_days.client_id,
    conversation_days.activity_date
from analytics.conversation_days
where conversation_days.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and conversation_days.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    and conversation_days.client_id is not null
    and conversation_days.activity_date is not null
union
select
    client_activity_daily.client_id,
    client_activity_daily.activity_date
from analytics.client_activity_daily
where client_activity_daily.activity_date >= (%(window_start)s::timestamptz at time zone 'UTC')::date
    and client_activity_daily.activity_date < (%(window_end)s::timestamptz at time zone 'UTC')::date
    and client_activity_daily.client_id is not null
    and client_activity_daily.activity_date is not null;
