-- Takes or renews the lease of a table's ticks.
-- in:  %(asset_key)s, %(holder)s, %(seconds)s; %(is_start)s: a tick begins
-- out: a row, unless another process holds it
update analytics.refresh_state
set
    lease_holder = %(holder)s,
    lease_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    last_run_at = case when %(is_start)s then clock_timestamp() else last_run_at end,
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s
    and (lease_until is null or lease_until < clock_timestamp() or lease_holder = %(holder)s)
returning asset_key;
