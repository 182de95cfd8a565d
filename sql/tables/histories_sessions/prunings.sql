-- Remembers of crews that the log says of their tables that rows were deleted, but not whose: the run that reads the whole table
-- sees it. Crews that have read theirs forget it.
-- in:  %(unread_since)s: the watermark, or null: all changes in the log; %(read)s: crews whose whole table has been read since
with pruned as (
    select
        state.crew_id,
        max(change.logged_at) as at
    from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    inner join analytics.crew_discovery_state as state on state.histories_table_name = source.table_name
    where change.operation = 'truncate'
        and analytics.is_unread(change.xid, %(unread_since)s::pg_snapshot)
        and state.crew_id <> all(%(read)s::uuid[])
    group by state.crew_id
),

forgotten as (
    update analytics.crew_discovery_state
    set pruned_at = null
    where crew_id = any(%(read)s::uuid[]) and pruned_at is not null
)

update analytics.crew_discovery_state as state
set pruned_at = greatest(state.pruned_at, pruned.at)
from pruned
where state.crew_id = pruned.crew_id;
