-- Locks the rows that are to change; those that another session has locked are skipped.
-- in:  {diff}: the differences; {target}, {key}, {same_key}
-- out: {key}
select {key}
from {target} as target
where exists (
    select from {diff} as diff
    where diff.change in ('updated', 'deleted', 'seen') and {same_key}
)
order by {key}
for update skip locked
