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
