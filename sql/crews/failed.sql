-- in:  %(crew_id)s, %(milliseconds)s, %(error)s
update analytics.crew_discovery_state
set
    last_run_at = now(),
    last_duration_ms = %(milliseconds)s,
    consecutive_failures = consecutive_failures + 1,
    last_error = %(error)s
where crew_id = %(crew_id)s::uuid;
