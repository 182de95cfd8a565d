-- The last key of a chunk.
-- in:  keys; {columns}; {descending}: the order of the keys, backwards
-- out: one row: the columns of the key
select {columns} from pg_temp.keys
order by {descending}
limit 1;
