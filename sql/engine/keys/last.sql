-- The position that the keys of a chunk end at.
-- in:  keys; {columns}; {descending}: the order of the keys, backwards
-- out: one row: the columns of the last key
select {columns} from keys
order by {descending}
limit 1;
