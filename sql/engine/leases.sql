-- name: want
-- Asks for leases: a follower yields them. Rows that were restored from another server are left as they are, so that they are
-- recognized.
-- in:  %(asset_keys)s, %(seconds)s: for how long
update analytics.refresh_state
set
    lease_wanted_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    written_by = pg_current_xact_id()
where asset_key in (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[])
        and mod(written_by::text::numeric, 4294967296) = xmin::text::numeric
    order by asset_key
    for update
);


-- name: end
-- Releases leases.
-- in:  %(asset_keys)s, %(holder)s
update analytics.refresh_state
set
    lease_holder = null,
    lease_until = null,
    written_by = pg_current_xact_id()
where asset_key in (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[]) and lease_holder = %(holder)s
    order by asset_key
    for update
);


-- name: take
-- Takes or renews leases.
-- in:  %(asset_keys)s, %(holder)s, %(seconds)s; %(is_start)s: a tick begins
-- out: asset_key, of each table whose lease is not held by another process
update analytics.refresh_state
set
    lease_holder = %(holder)s,
    lease_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    lease_wanted_until = case when %(is_start)s then null else lease_wanted_until end,
    last_run_at = case when %(is_start)s then clock_timestamp() else last_run_at end,
    written_by = pg_current_xact_id()
where asset_key in (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[])
    order by asset_key
    for update
)
and (lease_until is null or lease_until < clock_timestamp() or lease_holder = %(holder)s)
returning asset_key;


-- name: in_force
-- The leases in force.
-- in:  %(asset_keys)s
-- out: asset_key, holder, until
select
    asset_key,
    lease_holder as holder,
    lease_until as until
from analytics.refresh_state
where asset_key = any(%(asset_keys)s::text[]) and lease_until > clock_timestamp()
order by asset_key;


-- name: wanted
-- Whether another process waits for one of the leases.
-- in:  %(asset_keys)s
-- out: one row: is_wanted
select exists(
    select from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[]) and lease_wanted_until > clock_timestamp()
) as is_wanted;
