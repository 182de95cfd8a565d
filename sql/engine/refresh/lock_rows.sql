-- Locks the rows that are to change; those that another session has locked are left for the next tick.
-- in:  diff; {free_rows}: the rows that could be locked; {is_locked}: whether a row could not
with free as materialized (
{free_rows}
)

update diff
set change = 'locked'
where {is_locked};
