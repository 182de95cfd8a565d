-- What one refresh did.
-- in:  changed
-- out: one row: inserted, updated, deleted; days (UTC days of activity of the rows changed)
select
    count(*) filter (where kind = 'inserted') as inserted,
    count(*) filter (where kind = 'updated') as updated,
    count(*) filter (where kind = 'deleted') as deleted,
    coalesce(array_agg(distinct day) filter (where day >= '0001-01-02' and day < '9999-12-30'), array[]::date[]) as days
from changed;
