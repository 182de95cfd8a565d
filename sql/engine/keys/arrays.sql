-- Chooses the keys of a small scope as arrays, and reads what the log says, in one snapshot.
-- in:  {keys}: a query that finds them; {arrays}: an array of each column; {is_selected}: whether a key is of the selection;
--      %(most)s: how many; {news}: sql/engine/log/news.sql or no_news.sql
-- out: one row: keys (their number), {arrays}, to_snapshot, taken_at, crash_token, operations, is_everything, written_at
with found as materialized (
    select * from (
{keys}
    ) as found
    where ({is_selected})
    limit %(most)s
),

news as materialized (
{news}
),

chosen as (
    select
        count(*) as keys,
        {arrays}
    from found
)

select
    chosen.*,
    news.*,
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    (select token from analytics.crash_token) as crash_token
from chosen
cross join news;
