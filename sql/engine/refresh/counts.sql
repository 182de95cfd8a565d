-- Counts what a refresh does.
-- in:  diff
-- out: one row: rows, inserted, updated, deleted, locked; days (UTC days of activity of the changed rows)
select
    count(*) as rows,
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted,
    count(*) filter (where change = 'locked') as locked,
    coalesce(
        array_agg(distinct day) filter (
            where change in ('inserted', 'updated', 'deleted') and day >= '0001-01-02' and day < '9999-12-30'
        ),
        array[]::date[]
    ) as days
from pg_temp.diff;
