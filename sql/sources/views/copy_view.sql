-- Creates a view, to see how PostgreSQL reads a query.
-- in:  {view}: its name; {query}
create temporary view pg_temp.{view} as {query}
