-- Totals of all crews and tables.
-- out: one row
select
    (select count(*) from analytics.conversation_summaries where source = 'histories') as sessions,
    (select count(*) from analytics.conversation_summaries) as conversations,
    (select count(*) from app.clients where is_active) as clients,
    count(*) as crews,
    count(*) filter (where state.consecutive_failures > 0) as failing_crews,
    coalesce(sum(state.sessions_scanned), 0)::bigint as sessions_scanned,
    coalesce(sum(state.conversations_created), 0)::bigint as conversations_created,
    coalesce(extract(epoch from max(state.last_run_at)), 0)::float8 as last_run,
    coalesce(max(state.last_duration_ms) / 1000.0, 0)::float8 as duration
from analytics.crew_discovery_state as state
where state.is_discovered;
