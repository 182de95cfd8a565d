-- What the columns of each day add up to.
-- in:  {measures}: sums; {relation}; {day}: the expression of a row's day
-- out: day, rows, {measures}
select
    {day} as day,
    count(*) as rows,
    {measures}
from {relation}
group by 1
order by 1
