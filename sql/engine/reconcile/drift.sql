-- Counts drift: rows to change whose keys have no unread change.
-- in:  diff; keys: those with unread changes; {is_awaited}: whether the keys concern a row
-- out: one row: inserted, updated, deleted
select
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted
from diff
where ({is_awaited}) is not true;
