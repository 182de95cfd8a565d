-- in:  {relation}
-- out: one row: the number of its rows
select count(*) as rows from {relation};
