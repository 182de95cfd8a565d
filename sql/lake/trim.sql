-- Deletes what the lake has read, and remembers that it is gone.
-- in:  %(name)s: the table; %(to_snapshot)s: up to which
with trimmed as (
    update analytics.lake_state set snapshot = %(to_snapshot)s::pg_snapshot
    where table_name = %(name)s
)

delete from analytics.lake_changes
where table_name = %(name)s
    and (
        not analytics.is_unread(xid, %(to_snapshot)s::pg_snapshot)
        or xid >= pg_snapshot_xmax(pg_current_snapshot())  -- of another database, whose dump was restored here
    );
