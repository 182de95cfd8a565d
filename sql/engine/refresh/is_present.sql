-- Which rows of a table the keys concern: those with the same key columns.
-- in:  keys; {keyed}: the target's columns; {keys}: those of the keys
({keyed}) in (select {keys} from keys)
