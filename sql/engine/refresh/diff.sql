-- Creates the temporary table of the differences that a refresh finds; it is dropped at the end of the transaction.
-- in:  {target}, {columns}
-- out: diff (change: inserted, updated, deleted, seen (right, but written to record that), locked (left for the next tick) or
--      refused (by a rule of the application); day: a UTC day of activity; is_news: more than a correction; and the columns that
--      the refresh computes)
create temporary table pg_temp.diff on commit drop as
select
    null::text as change,
    null::date as day,
    null::boolean as is_news,
    {columns}
from {target}
with no data;
