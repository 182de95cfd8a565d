-- Whether another process waits for one of the leases.
-- in:  %(asset_keys)s
-- out: one row: is_wanted
select exists(
    select from analytics.refresh_state
    where asset_key = any(%(asset_keys)s::text[]) and lease_wanted_until > clock_timestamp()
) as is_wanted;
