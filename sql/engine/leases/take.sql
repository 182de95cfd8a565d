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
