-- The summary as a materialized view, with the unique index that REFRESH … CONCURRENTLY needs.
create schema peers;

create materialized view peers.summaries as
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
    from plain.histories
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
from sessions;

create unique index on peers.summaries (crew_id, session_id);
