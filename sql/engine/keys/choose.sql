-- Chooses the keys of one chunk: the first ones after a position, and up to another.
-- in:  {keys}: a query that finds them; {key}: the columns that identify and order them; {after}: the last key of the chunk
--      before, unless %(is_first)s; {until}: the last key, unless %(is_to_end)s; {is_selected}: whether a key is of the
--      selection; %(rows)s: how many
-- out: keys
create temporary table pg_temp.keys on commit drop as
select * from (
{keys}
) as found
where (%(is_first)s or ({key}) > ({after}))
    and (%(is_to_end)s or ({key}) <= ({until}))
    and ({is_selected})
order by {key}
limit %(rows)s;
