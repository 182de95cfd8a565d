-- Days of crews whose counts differ from their session-days: materialize crew_activity_daily for the days shown.
-- in:  keys: those that the next tick will refresh
-- out: crew_id, activity_date, messages, counted
select
    crew_id,
    activity_date,
    source.messages,
    day.messages as counted
from (
    select
        crew_id,
        activity_date,
        count(*) as sessions,
        sum(message_count) as messages
    from analytics.histories_sessions
    group by crew_id, activity_date
) as source
full join analytics.crew_activity_daily as day using (crew_id, activity_date)
where (source.sessions, source.messages) is distinct from (day.sessions, day.messages)
    and (crew_id, activity_date) not in (select crew_id, activity_date from pg_temp.keys);
