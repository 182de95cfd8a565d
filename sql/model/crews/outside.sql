-- Whether a histories table has rows with a usable time, or session-days that follow them, outside of a span of days.
-- in:  {histories}; %(crew_id)s; %(first_day)s, %(after_day)s: UTC days, half-open
-- out: one row: is_any
select exists (
    select from {histories}
    where created_at >= '0001-01-02' and created_at < %(first_day)s::date::timestamp at time zone 'UTC'
) or exists (
    select from {histories}
    where created_at >= %(after_day)s::date::timestamp at time zone 'UTC' and created_at < '9999-12-30'
) or exists (
    select from analytics.histories_sessions
    where crew_id = %(crew_id)s::uuid
        and archived_at is null
        and (activity_date < %(first_day)s::date or activity_date >= %(after_day)s::date)
) as is_any;
