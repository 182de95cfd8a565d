-- Asks for leases: a follower yields them.
-- in:  %(asset_keys)s, %(seconds)s: for how long
update analytics.refresh_state
set
    lease_wanted_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    written_by = pg_current_xact_id()
where asset_key in (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[])
    order by asset_key
    for update
);
