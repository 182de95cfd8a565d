-- Where the rows of a file are, until the transaction ends.
create temporary table pg_temp.moved (line jsonb) on commit drop;
