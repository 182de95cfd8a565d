-- Makes a table equal: inserts what is missing, updates what differs, deletes what should not be there.
-- in:  {target}, diff, {key}, {same_key}, {columns}, {assignments}
with removed as (
    delete from {target} as target
    using diff
    where diff.change = 'deleted' and {same_key}
)

insert into {target} as target ({columns})
select {columns} from diff
where change in ('inserted', 'updated', 'seen')
order by {key}
on conflict ({key}) do update set {assignments};
