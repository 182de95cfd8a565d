-- How long the changes of each table took to be visible, since counting began.
-- out: one row per table and bound: table, seconds (the bound), changes, total_seconds
select
    table_name as "table",
    seconds,
    sum(changes)::bigint as changes,
    sum(total_seconds) as total_seconds
from analytics.latencies
group by table_name, seconds
order by table_name, seconds;
