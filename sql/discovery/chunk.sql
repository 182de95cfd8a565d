-- in:  {histories}; %(after_id)s; %(rows)s: size of a chunk
-- out: one row, none if fewer rows are left: up_to_id, the last id of the chunk
select id as up_to_id
from {histories}
where id > %(after_id)s::bigint
order by id
offset %(rows)s::bigint - 1 limit 1;
