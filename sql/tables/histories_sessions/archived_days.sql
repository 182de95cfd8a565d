-- Counts the session-days of a crew that are archive.
-- in:  %(crew_id)s; %(first_day)s, %(after_day)s: UTC days, half-open
-- out: one row: days
select count(*) as days from analytics.histories_sessions
where crew_id = %(crew_id)s::uuid
    and archived_at is not null
    and activity_date >= %(first_day)s::date and activity_date < %(after_day)s::date;
