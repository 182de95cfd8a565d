-- client_activity_daily: one row per client and UTC day with activity, aggregated from conversation_days.
-- in:  keys: days of clients
select
    day.client_id,
    day.activity_date,
    coalesce(client.client_code::text, '') as client_code,
    count(*) filter (where day.source = 'histories' and day.message_count > 0) as sessions,
    sum(day.message_count)::bigint as messages,
    count(*) filter (where day.is_started) as conversations_started,
    count(*) filter (where day.is_closed) as conversations_closed,
    percentile_cont(0.5) within group (order by day.first_response_seconds) as first_response_median_seconds,
    percentile_cont(0.9) within group (order by day.first_response_seconds) as first_response_p90_seconds
from keys
inner join analytics.conversation_days as day using (client_id, activity_date)
inner join app.clients as client on client.id = day.client_id
group by day.client_id, day.activity_date, client.client_code;
