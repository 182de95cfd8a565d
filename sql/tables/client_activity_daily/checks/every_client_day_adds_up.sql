-- Days of clients whose counts differ from their conversations' days: materialize client_activity_daily for the days shown.
-- in:  keys: those that the next tick will refresh
-- out: client_id, activity_date, messages, counted
select
    client_id,
    activity_date,
    source.messages,
    day.messages as counted
from (
    select
        client_id,
        activity_date,
        sum(message_count) as messages,
        count(*) filter (where is_started) as conversations_started
    from analytics.conversation_days
    group by client_id, activity_date
) as source
full join analytics.client_activity_daily as day using (client_id, activity_date)
where (source.messages, source.conversations_started) is distinct from (day.messages, day.conversations_started)
    and (client_id, activity_date) not in (select client_id, activity_date from pg_temp.keys);
