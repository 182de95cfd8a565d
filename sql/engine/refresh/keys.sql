-- in:  keys
-- out: one row: keys (how many), last (position of the last; null: there are none)
select
    count(*) as keys,
    (select position from keys order by ctid desc limit 1) as last
from keys;
