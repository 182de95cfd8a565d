-- Writes the differences: inserts missing rows, updates those that differ, deletes those that should not exist.
-- in:  {target}, diff, {key}, {same_key}, {columns}, {assignments}
-- out: queries of a statement
removed as (
    delete from {target} as target
    using diff
    where diff.change = 'deleted' and {same_key}
),

saved as (
    insert into {target} as target ({columns})
    select {columns} from diff
    where change in ('inserted', 'updated', 'seen')
    order by {key}
    on conflict ({key}) do update set {assignments}
    returning 1
)
