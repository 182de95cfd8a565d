-- in:  changed; keys: what awaits a tick
-- out: one row: inserted, updated, deleted: changed rows that await none
select
    count(*) filter (where kind = 'inserted') as inserted,
    count(*) filter (where kind = 'updated') as updated,
    count(*) filter (where kind = 'deleted') as deleted
from changed
where not exists (select from keys where keys.id = changed.id);
