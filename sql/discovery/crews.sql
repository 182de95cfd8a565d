-- The active crews with what is known of their progress.
-- in:  %(codes)s: only the crews with these codes, or null for all
-- out: one row per crew, by code
select
    crew.id,
    crew.crew_code as code,
    crew.client_id,
    crew.histories_table_name as table_name,
    coalesce(state.watermark_id, 0) as watermark_id,
    state.histories_table_name is distinct from crew.histories_table_name as is_new_table,
    coalesce(state.consecutive_failures, 0) as consecutive_failures
from app.crews as crew
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
where crew.is_active and (%(codes)s::text[] is null or crew.crew_code = any(%(codes)s::text[]))
order by crew.crew_code;
