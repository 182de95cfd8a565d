-- The summary as a materialized view, straight from the histories.
create materialized view benchmark_view as
select
    crew_id,
    session_id,
    count(*) as message_count,
    count(*) filter (where type = 'human') as inbound_count,
    count(*) filter (where type = 'ai') as outbound_count,
    min(created_at) as started_at,
    max(created_at) as ended_at
from (select *, message ->> 'type' as type from plain.histories offset 0) as history
group by crew_id, session_id;
create unique index on benchmark_view (crew_id, session_id);
