-- Records the results of crews' runs. Crews whose state another session has locked, such as one that deletes them, are skipped.
-- in:  %(results)s: json array of crew_id, mode, started_at, milliseconds, sessions, warning, error (null: it succeeded)
with results as (
    select * from jsonb_to_recordset(%(results)s::jsonb) as result (
        crew_id uuid, mode text, started_at timestamptz, milliseconds bigint, sessions bigint, warning text, error text
    )
),

states as (
    select crew_id from analytics.crew_discovery_state
    where crew_id in (select crew_id from results)
    order by crew_id
    for update skip locked
)

update analytics.crew_discovery_state as state
set
    mode = result.mode,
    last_run_at = result.started_at,
    last_success_at = case when result.error is null then clock_timestamp() else state.last_success_at end,
    last_duration_ms = result.milliseconds,
    sessions_scanned = state.sessions_scanned + result.sessions,
    consecutive_failures = case when result.error is null then 0 else state.consecutive_failures + 1 end,
    last_error = result.error,
    last_warning = case when result.error is null then result.warning else state.last_warning end
from results as result
inner join states on states.crew_id = result.crew_id
where state.crew_id = result.crew_id;
