-- The next keys that a relation holds.
-- in:  {relation}; {columns}: its columns, as the keys name them; {key}, {after}, %(is_first)s, {is_selected}, %(rows)s as in
--      choose.sql
select * from (
    select distinct {key} from (select {columns} from {relation}) as source
    where (%(is_first)s or ({key}) > ({after}))
        and ({is_selected})
    order by {key}
    limit %(rows)s
) as page
