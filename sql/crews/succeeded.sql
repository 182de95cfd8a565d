-- in:  %(crew_id)s, %(mode)s, %(started_at)s, %(milliseconds)s, %(sessions)s, %(warning)s
update analytics.crew_discovery_state
set
    mode = %(mode)s,
    last_run_at = %(started_at)s,
    last_success_at = clock_timestamp(),
    last_duration_ms = %(milliseconds)s,
    sessions_scanned = sessions_scanned + %(sessions)s,
    consecutive_failures = 0,
    last_error = null,
    last_warning = %(warning)s
where crew_id = %(crew_id)s::uuid;
