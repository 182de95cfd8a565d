-- Releases the lease of a table's ticks.
-- in:  %(asset_key)s, %(holder)s
update analytics.refresh_state
set
    lease_holder = null,
    lease_until = null,
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s and lease_holder = %(holder)s;
