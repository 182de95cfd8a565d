-- Whether the log says that a histories table, or the rest of it, has to be read as a whole.
-- in:  %(members)s: oids of the table and its partitions; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: one row: is_everything
select exists(
    select from analytics.session_changes
    where operation in ('everything', 'truncate')
        and table_oid = any(%(members)s::oid[])
        and analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
) as is_everything;
