-- The keys of blocks of a relation, so that the rows of a chunk are neighbours, there and in what was written with them.
-- in:  {relation}, {column}: the column with the key; {key}; %(first)s, %(end)s: positions of rows, half-open
select {column} as {key} from {relation}
where ctid >= %(first)s::tid and ctid < %(end)s::tid;
