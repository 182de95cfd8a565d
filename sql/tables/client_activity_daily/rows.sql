-- client_activity_daily: one row per client and UTC day with anything, summed up from its conversations' days.
-- in:  keys: clients' days
-- out: different; one row: present (days before)
with wanted as (
    select
        day.client_id,
        day.activity_date,
        client.client_code,
        count(*) filter (where day.source = 'histories' and day.message_count > 0) as sessions,
        sum(day.message_count)::bigint as messages,
        count(*) filter (where day.is_started) as conversations_started,
        count(*) filter (where day.is_closed) as conversations_closed,
        percentile_cont(0.5) within group (order by day.first_response_seconds) as first_response_median_seconds,
        percentile_cont(0.9) within group (order by day.first_response_seconds) as first_response_p90_seconds
    from keys
    inner join analytics.conversation_days as day using (client_id, activity_date)
    inner join app.clients as client on client.id = day.client_id
    group by day.client_id, day.activity_date, client.id
),

present as (
    select
        client_id, activity_date, client_code, sessions, messages, conversations_started, conversations_closed,
        first_response_median_seconds, first_response_p90_seconds
    from analytics.client_activity_daily
    inner join keys using (client_id, activity_date)
),

compared as (
    insert into different (
        change, day, client_id, activity_date, client_code, sessions, messages, conversations_started,
        conversations_closed, first_response_median_seconds, first_response_p90_seconds
    )
    select
        case
            when present.client_id is null then 'inserted'
            when wanted.client_id is null then 'deleted'
            else 'updated'
        end,
        activity_date,
        client_id,
        activity_date,
        wanted.client_code,
        wanted.sessions,
        wanted.messages,
        wanted.conversations_started,
        wanted.conversations_closed,
        wanted.first_response_median_seconds,
        wanted.first_response_p90_seconds
    from wanted
    full join present using (client_id, activity_date)
    where wanted is distinct from present
)

select count(*) as present from present;
