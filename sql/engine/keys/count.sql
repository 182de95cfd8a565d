-- Counts the keys of a scope.
-- in:  {keys}: a query that finds them
-- out: one row: keys
select count(*) as keys from (
{keys}
) as found;
