-- Where the rows of a file are, until the transaction ends.
create temporary table moved (line jsonb) on commit drop;
