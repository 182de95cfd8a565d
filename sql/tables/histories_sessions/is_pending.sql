-- Whether all of a crew's histories table has to be read, according to changes that no tick has read yet; whether or not the crew
-- is active by now.
-- in:  %(table_name)s; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: one row: is_everything
select exists(
    select from analytics.session_changes as change
    inner join analytics.capture_state as source on change.table_oid = any(source.members)
    where source.table_name = %(table_name)s
        and change.operation in ('everything', 'truncate')
        and analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
) as is_everything;
