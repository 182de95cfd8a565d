-- Sessions of which a summary is not what their rows say, computed from all rows by a way of its own.
-- in:  {summaries}
-- out: crew_id, session_id, what (missing, stale or too many)
with message as (
    select
        crew_id,
        session_id,
        created_at,
        message ->> 'type' as type,
        min(created_at) filter (where message ->> 'type' = 'human') over (partition by crew_id, session_id) as first_human_at
    from plain.histories
),

truth as (
    select
        crew_id,
        session_id,
        count(*) as message_count,
        count(*) filter (where type = 'human') as inbound_count,
        count(*) filter (where type = 'ai') as outbound_count,
        min(created_at) as started_at,
        max(created_at) as ended_at,
        extract(epoch from max(created_at) - min(created_at))::float8 as duration_seconds,
        extract(
            epoch from min(created_at) filter (where type = 'ai' and created_at >= first_human_at) - min(first_human_at)
        )::float8 as first_response_seconds
    from message
    group by crew_id, session_id
),

found as (
    select
        crew_id,
        session_id,
        message_count,
        inbound_count,
        outbound_count,
        started_at,
        ended_at,
        duration_seconds::float8,
        first_response_seconds::float8
    from {summaries}
)

select
    crew_id,
    session_id,
    case when found.crew_id is null then 'missing' when truth.crew_id is null then 'too many' else 'stale' end as what
from truth
full join found using (crew_id, session_id)
where truth is distinct from found;
