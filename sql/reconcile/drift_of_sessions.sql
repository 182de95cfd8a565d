-- in:  different; keys: what awaits a tick
-- out: one row: inserted, updated, deleted: changed rows that await none
select
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted
from different
where not exists (select from keys where keys.crew_id = different.crew_id and keys.session_id = different.session_id);
