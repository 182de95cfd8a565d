-- Counts what a refresh does, by part; of a table without a reader, in all.
-- in:  diff; {part}
-- out: one row per part: part, rows, inserted, updated, deleted, locked; days (UTC days of activity of the changed rows)
select
    coalesce({part}::text, '') as part,
    count(*) as rows,
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted,
    count(*) filter (where change = 'locked') as locked,
    coalesce(
        jsonb_agg(distinct day) filter (
            where change in ('inserted', 'updated', 'deleted') and day >= '0001-01-02' and day < '9999-12-30'
        ),
        '[]'
    ) as days
from diff
group by 1
