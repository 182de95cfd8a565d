-- What cron runs every hour: sessions with a row since the last run are computed anew as a whole, and written over.
select at as last_run from peers.last_run \gset

begin;

insert into peers.summaries
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
    where (crew_id, session_id) in (select crew_id, session_id from plain.histories where created_at > :'last_run')
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
    extract(epoch from ended_at - started_at),
    extract(
        epoch from (select min(ai_at) from unnest(ai_times) as ai_at where ai_at >= first_human_at) - first_human_at
    )
from sessions
on conflict (crew_id, session_id) do update set
    message_count = excluded.message_count,
    inbound_count = excluded.inbound_count,
    outbound_count = excluded.outbound_count,
    started_at = excluded.started_at,
    ended_at = excluded.ended_at,
    duration_seconds = excluded.duration_seconds,
    first_response_seconds = excluded.first_response_seconds;

update peers.last_run set at = now();

commit;
