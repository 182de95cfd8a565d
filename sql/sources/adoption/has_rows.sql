-- Whether a table has rows.
-- in:  {relation}
-- out: one row: has_rows
select count(*) > 0 as has_rows
from (select from {relation} limit 1) as one;
