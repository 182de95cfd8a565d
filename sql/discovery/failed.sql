-- in:  %(crew_id)s, %(table_name)s, %(milliseconds)s, %(error)s
insert into analytics.crew_discovery_state as state (
    crew_id, histories_table_name, last_run_at, last_duration_ms, consecutive_failures, last_error
)
values (%(crew_id)s::uuid, %(table_name)s, now(), %(milliseconds)s, 1, %(error)s)
on conflict (crew_id) do update set
    last_run_at = excluded.last_run_at,
    last_duration_ms = excluded.last_duration_ms,
    consecutive_failures = state.consecutive_failures + 1,
    last_error = excluded.last_error;
