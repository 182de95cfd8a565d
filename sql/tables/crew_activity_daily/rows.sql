-- crew_activity_daily: one row per crew and UTC day with messages, summed up from its session-days.
-- in:  keys: crews' days
-- out: different; one row: present (days before)
with wanted as (
    select
        day.crew_id,
        day.activity_date,
        crew.crew_code,
        crew.name as crew_name,
        crew.client_id,
        count(*) as sessions,
        sum(day.message_count)::bigint as messages,
        sum(day.human_count)::bigint as human_messages,
        sum(day.ai_count)::bigint as ai_messages,
        percentile_cont(0.5) within group (
            order by extract(epoch from day.first_response_at - day.first_human_at)::float8
        ) as first_response_median_seconds
    from keys
    inner join analytics.histories_sessions as day using (crew_id, activity_date)
    inner join app.crews as crew on crew.id = day.crew_id
    group by day.crew_id, day.activity_date, crew.id
),

present as (
    select
        crew_id, activity_date, crew_code, crew_name, client_id, sessions, messages, human_messages, ai_messages,
        first_response_median_seconds
    from analytics.crew_activity_daily
    inner join keys using (crew_id, activity_date)
),

compared as (
    insert into different (
        change, day, crew_id, activity_date, crew_code, crew_name, client_id, sessions, messages, human_messages,
        ai_messages, first_response_median_seconds
    )
    select
        case
            when present.crew_id is null then 'inserted'
            when wanted.crew_id is null then 'deleted'
            else 'updated'
        end,
        activity_date,
        crew_id,
        activity_date,
        wanted.crew_code,
        wanted.crew_name,
        wanted.client_id,
        wanted.sessions,
        wanted.messages,
        wanted.human_messages,
        wanted.ai_messages,
        wanted.first_response_median_seconds
    from wanted
    full join present using (crew_id, activity_date)
    where wanted is distinct from present
)

select count(*) as present from present;
