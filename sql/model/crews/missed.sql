-- Marks crews for discovery whose table was logged to, but which a tick did not visit because they were inactive, or named
-- another table, when it began: the catalog is compared anew, as if they had just been activated.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots; without the first, all crews;
--      %(visited)s: the crews that the tick visited
with logged as (
    select distinct table_oid from analytics.session_changes
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
),

missed as (
    update analytics.crew_discovery_state as state
    set is_discovered = false
    from analytics.capture_state as source
    where source.table_name = state.histories_table_name
        and state.is_discovered
        and state.crew_id <> all(%(visited)s::uuid[])
        and (%(from_snapshot)s::text is null or source.members && array(select table_oid from logged))
    returning 1
)

update analytics.catalog_state
set fingerprint = null
where exists (select from missed);
