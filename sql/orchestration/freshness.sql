-- How long the changes of a table took to be visible in this and the last hour.
-- in:  %(name)s: the table
-- out: one row, none before its first tick: p50, p99 (seconds; null: there were no changes)
select
    p50_seconds as p50,
    p99_seconds as p99
from analytics.freshness
where table_name = %(name)s;
