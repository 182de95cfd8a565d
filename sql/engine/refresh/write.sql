-- Writes the differences: inserts missing rows, updates those that differ, deletes those that should not exist.
-- in:  {target}, diff, {key}, {same_key}, {columns}, {assignments}
with removed as (
    delete from {target} as target
    using pg_temp.diff
    where diff.change = 'deleted' and {same_key}
)

insert into {target} as target ({columns})
select {columns} from pg_temp.diff
where change in ('inserted', 'updated', 'seen')
order by {key}
on conflict ({key}) do update set {assignments};
