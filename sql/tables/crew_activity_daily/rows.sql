-- crew_activity_daily: one row per crew and UTC day with messages, summed up from its session-days.
-- in:  keys: days of crews
select
    day.crew_id,
    day.activity_date,
    coalesce(crew.crew_code::text, '') as crew_code,
    coalesce(crew.name::text, '') as crew_name,
    crew.client_id,
    count(*) as sessions,
    sum(day.message_count)::bigint as messages,
    sum(day.human_count)::bigint as human_messages,
    sum(day.ai_count)::bigint as ai_messages,
    percentile_cont(0.5) within group (
        order by analytics.seconds_to_answer(day.first_human_at, day.first_response_at)
    ) as first_response_median_seconds
from keys
inner join analytics.histories_sessions as day using (crew_id, activity_date)
inner join app.crews as crew on crew.id = day.crew_id and crew.client_id is not null
group by day.crew_id, day.activity_date, crew.crew_code, crew.name, crew.client_id;
