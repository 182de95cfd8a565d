-- out: one row per active crew: how far its histories table has been read, and how the last tick went
select
    crew.crew_code as crew,
    state.watermark_id as watermark,
    state.pending_id as pending,
    array_to_string(state.pending_transactions, ', ') as waits_for,
    to_char(state.last_success_at, 'YYYY-MM-DD HH24:MI:SS') as last_success,
    state.last_duration_ms as ms,
    coalesce(state.consecutive_failures, 0) as failures,
    coalesce(state.last_error, state.last_warning) as message
from app.crews as crew
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
where crew.is_active
order by crew.crew_code;
