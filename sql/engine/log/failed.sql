-- Stores why ticks of tables failed, unless that is stored.
-- in:  %(asset_keys)s; %(error)s: the message, without the values of rows
update analytics.refresh_state
set
    last_error = %(error)s,
    failing_since = coalesce(failing_since, clock_timestamp()),
    written_by = pg_current_xact_id()
where asset_key = any(%(asset_keys)s::text[]) and last_error is distinct from %(error)s;
