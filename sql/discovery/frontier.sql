-- in:  {histories}
-- out: one row: newest_id (0 for an empty table), seen_at
select
    coalesce(max(id), 0) as newest_id,
    clock_timestamp() as seen_at
from {histories};
