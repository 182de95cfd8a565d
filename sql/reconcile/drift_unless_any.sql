-- For tables whose changed rows do not name what they depend on: while anything awaits a tick, nothing is drift.
-- in:  changed; keys: what awaits a tick
-- out: one row: inserted, updated, deleted
select
    count(*) filter (where kind = 'inserted') as inserted,
    count(*) filter (where kind = 'updated') as updated,
    count(*) filter (where kind = 'deleted') as deleted
from changed
where not exists (select from keys);
