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
