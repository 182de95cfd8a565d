-- The rows of some days, or of all.
-- in:  {columns}: converted to types that Arrow has; {relation}; {day}: the expression of a row's day; {cell}: as a literal;
--      {days}: a condition on day
-- out: cell, day, {columns}
select
    {cell} as cell,
    {day} as day,
    {columns}
from {relation}
where {days}
