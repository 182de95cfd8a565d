-- How many rows each day has.
-- in:  {relation}; {day}: the expression of a row's day
-- out: day, rows
select
    {day} as day,
    count(*) as rows
from {relation}
group by 1
order by 1
