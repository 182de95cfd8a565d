-- By dbt's guide to incremental models: a filter from the newest row of the table itself, three days of lookback, and a unique
-- key. Sessions that have a row since then are computed anew as a whole.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['crew_id', 'session_id'],
    indexes=[{'columns': ['crew_id', 'session_id'], 'unique': true}, {'columns': ['ended_at']}]
) }}

with sessions as (
    select
        crew_id,
        session_id,
        count(*) as message_count,
        count(*) filter (where message ->> 'type' = 'human') as inbound_count,
        count(*) filter (where message ->> 'type' = 'ai') as outbound_count,
        min(created_at) as started_at,
        max(created_at) as ended_at,
        min(created_at) filter (where message ->> 'type' = 'human') as first_human_at,
        array_agg(created_at) filter (where message ->> 'type' = 'ai') as ai_times
    from {{ source('plain', 'histories') }}
    {% if is_incremental() %}
    where (crew_id, session_id) in (
        select crew_id, session_id
        from {{ source('plain', 'histories') }}
        where created_at >= (select max(ended_at) - interval '3 days' from {{ this }})
    )
    {% endif %}
    group by crew_id, session_id
)

select
    crew_id,
    session_id,
    message_count,
    inbound_count,
    outbound_count,
    started_at,
    ended_at,
    extract(epoch from ended_at - started_at) as duration_seconds,
    extract(
        epoch from (select min(ai_at) from unnest(ai_times) as ai_at where ai_at >= first_human_at) - first_human_at
    ) as first_response_seconds
from sessions
