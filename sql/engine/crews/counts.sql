-- Counts what a refresh does to the session-days of each crew.
-- in:  diff
-- out: one row per crew: crew_id, rows, inserted, updated, deleted, locked; days (UTC days of activity of the changed rows)
select
    crew_id,
    count(*) as rows,
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted,
    count(*) filter (where change = 'locked') as locked,
    coalesce(array_agg(distinct day) filter (where change <> 'locked'), array[]::date[]) as days
from pg_temp.diff
group by crew_id;
