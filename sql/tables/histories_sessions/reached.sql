-- Where a chunk of days ends.
-- in:  keys
-- out: one row: end_day, session_id (the last of a day that was read in part; null: whole days)
select
    end_day,
    session_id
from keys
order by session_id collate "C" desc
limit 1;
