-- How many rows each day has.
-- in:  {relation}; {day}: the expression of a row's day; {days}: a condition on it
-- out: day, rows
select
    {day} as day,
    count(*) as rows
from {relation}
where {days}
group by 1
order by 1
