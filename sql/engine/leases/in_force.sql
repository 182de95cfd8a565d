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
