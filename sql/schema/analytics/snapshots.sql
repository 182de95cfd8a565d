-- Committed since `seen` was taken, up to `taken`: PostgreSQL's own definition. Inlined, so that the index on xid serves.
create function analytics.is_new(xid xid8, seen pg_snapshot, taken pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(seen) and not pg_visible_in_snapshot(xid, seen) and pg_visible_in_snapshot(xid, taken);
