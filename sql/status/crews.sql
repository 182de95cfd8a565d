-- out: one row per active crew: whether its changes are logged, and how its last run went
select
    crew.crew_code as crew,
    state.mode,
    to_char(state.last_success_at, 'YYYY-MM-DD HH24:MI:SS') as last_success,
    state.last_duration_ms as ms,
    coalesce(state.consecutive_failures, 0) as failures,
    coalesce(state.last_error, state.last_warning) as message
from app.crews as crew
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
where crew.is_active
order by crew.crew_code;
