-- Locks the rows that are to change; those that another session has locked are left for the next tick.
-- in:  {target}, diff, {key}, {same_key}
with locked as materialized (
    select {key}
    from {target} as target
    where exists (
        select from pg_temp.diff
        where diff.change in ('updated', 'deleted', 'seen') and {same_key}
    )
    order by {key}
    for update skip locked
)

update pg_temp.diff
set change = 'locked'
where diff.change in ('updated', 'deleted', 'seen')
    and not exists (select from locked as target where {same_key});
