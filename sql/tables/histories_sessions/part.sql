-- The messages of one crew.
-- in:  {relation}; {part}: the crew; keys: sessions and days, or (%(is_whole)s) all sessions of a span of days
-- out: crew_id, session_id, activity_date, created_at, type
select
    {part}::uuid as crew_id,
    history.session_id,
    (history.created_at at time zone 'UTC')::date as activity_date,
    history.created_at,
    analytics.message_type(history.message) as type
from (
    select distinct
        start_day,
        end_day
    from keys
    where crew_id = {part}::uuid
) as span
cross join lateral (
    select
        session_id::text collate "default" as session_id,
        created_at,
        message
    from {relation}
    where created_at >= span.start_day::timestamp at time zone 'UTC'
        and created_at < span.end_day::timestamp at time zone 'UTC'
        and analytics.is_usable_session(session_id::text)
        and (
            %(is_whole)s
            or (session_id::text collate "default", (created_at at time zone 'UTC')::date) in (
                select session_id, start_day from keys
                where crew_id = {part}::uuid
            )
        )
) as history
