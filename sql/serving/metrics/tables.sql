-- The backlog of each derived table.
-- out: one row per table that was built: table, changes (logged, not read by its tick), oldest (age of the first, seconds)
select
    table_name as "table",
    changes_waiting as changes,
    coalesce(extract(epoch from now() - waiting_since), 0)::float8 as oldest
from analytics.freshness
where as_of is not null
order by table_name;
