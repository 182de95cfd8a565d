-- Creates the table that takes what a refresh does to the rows of a table; it is gone with its transaction.
-- in:  {target}
-- out: diff (change: inserted, updated, deleted, seen (only looked at) or locked (left for later); day: a UTC day of
--      activity; is_news: not only a correction; and the columns of the table)
create temporary table diff on commit drop as
select
    null::text as change,
    null::date as day,
    null::boolean as is_news,
    target.*
from {target} as target
with no data;
