-- Adds up the latencies of more than a week ago.
-- out: latencies
with expired as (
    delete from analytics.latencies
    where hour < now() - interval '7 days' and hour > '-infinity'
    returning table_name, seconds, changes, total_seconds
)

insert into analytics.latencies as latency (table_name, hour, seconds, changes, total_seconds)
select
    table_name,
    '-infinity',
    seconds,
    sum(changes),
    sum(total_seconds)
from expired
group by table_name, seconds
on conflict (table_name, hour, seconds) do update set
    changes = latency.changes + excluded.changes,
    total_seconds = latency.total_seconds + excluded.total_seconds;
