-- The columns of a query.
-- in:  {query}
-- out: no rows
select * from (
{query}
) as query
limit 0;
