-- Counts all keys of a table.
-- in:  {keys}: a query that finds them
-- out: one row: keys
select count(*) as keys from (
{keys}
) as found;
