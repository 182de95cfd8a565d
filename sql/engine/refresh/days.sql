-- The UTC days of activity of all rows of a table.
-- in:  {target}; {day}: of a row
-- out: one row per day: day
select distinct days.day
from {target} as present
left join {target} as wanted on false
cross join lateral (select ({day}) as day) as days
where days.day >= '0001-01-02' and days.day < '9999-12-30'
order by days.day;
