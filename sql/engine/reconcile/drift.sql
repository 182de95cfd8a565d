-- Counts drift: rows to change whose keys have no unread change.
-- in:  diff; keys: those with unread changes; {is_awaited}: whether a row of diff has one of these keys
-- out: one row: inserted, updated, deleted
select
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted
from pg_temp.diff
where not exists (select from pg_temp.keys where {is_awaited});
