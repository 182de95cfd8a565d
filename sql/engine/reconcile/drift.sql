-- in:  diff; keys: what awaits a tick; {is_awaited}: whether a row of diff is of a key
-- out: one row: inserted, updated, deleted: rows to change that await none
select
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted
from diff
where not exists (select from keys where {is_awaited});
