-- Active crews whose last run failed.
select
    crew.crew_code as crew,
    state.histories_table_name,
    state.last_error,
    state.consecutive_failures,
    state.last_success_at
from analytics.crew_discovery_state as state
inner join app.crews as crew on crew.id = state.crew_id
where crew.is_active and state.last_error is not null
order by crew.crew_code;
