-- The rows that differ from those that there should be.
-- in:  wanted, present: the rows that there should be, and those that are there; {key}, {first_key}, {compared}: the target's
--      columns, and how they are selected from the join; {is_different}: which rows are written; {day}: the UTC day of activity
--      of a row; {is_news}: whether it is more than a correction
-- out: change, day, is_news, and the columns that the refresh computes: see diff.sql
select
    case
        when present.{first_key} is null then 'inserted'
        when wanted.{first_key} is null then 'deleted'
        when wanted is distinct from present then 'updated'
        else 'seen'
    end as change,
    ({day}) as day,
    {is_news} as is_news,
    {compared}
from wanted
full join present using ({key})
where {is_different}
