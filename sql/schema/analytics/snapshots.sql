-- Not visible in a snapshot, or in none: PostgreSQL's own definition of "committed since". Both functions are inlined, so that
-- the index on xid can be used.
create function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return since is null or xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

-- Committed after from_snapshot was taken, up to to_snapshot.
create function analytics.is_new(xid xid8, from_snapshot pg_snapshot, to_snapshot pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(from_snapshot) and not pg_visible_in_snapshot(xid, from_snapshot)
and pg_visible_in_snapshot(xid, to_snapshot);
