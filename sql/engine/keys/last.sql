-- The last key of a chunk.
-- in:  keys; {columns}; {descending}: the order of the keys, backwards
-- out: one row: the columns of the key
select {columns} from keys
order by {descending}
limit 1;
