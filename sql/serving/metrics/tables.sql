-- The backlog of each derived table.
-- out: one row per table that was built: table, changes (logged, not read by its tick), oldest (seconds since the application
--      wrote the first that is not in the table yet, wherever it waits)
select
    fresh.table_name as "table",
    fresh.changes_waiting as changes,
    coalesce(extract(epoch from now() - delays.written_since), 0)::float8 as oldest
from analytics.freshness as fresh
inner join analytics.delays using (table_name)
where fresh.as_of is not null
order by fresh.table_name;
