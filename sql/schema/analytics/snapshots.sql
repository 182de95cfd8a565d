-- The transactions that were open in a snapshot.
create or replace function analytics.open_xids(snapshot pg_snapshot) returns xid8[]
language plpgsql immutable parallel safe
as $$
begin
    return array(select pg_catalog.pg_snapshot_xip(snapshot));
end
$$;

-- Not visible in a snapshot, or in none: PostgreSQL's own definition of "committed since". These are the transactions that began
-- after it, or were open in it: both are found by the index on xid, however long the oldest of them has been open. Both functions
-- are inlined.
create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= coalesce(pg_snapshot_xmax(since), '0'::xid8) or xid = any(analytics.open_xids(since));

-- Committed after from_snapshot was taken, up to to_snapshot, or up to now.
create or replace function analytics.is_new(xid xid8, from_snapshot pg_snapshot, to_snapshot pg_snapshot) returns boolean
language sql immutable parallel safe
return (xid >= pg_snapshot_xmax(from_snapshot) or xid = any(analytics.open_xids(from_snapshot)))
and coalesce(pg_visible_in_snapshot(xid, to_snapshot), true);
