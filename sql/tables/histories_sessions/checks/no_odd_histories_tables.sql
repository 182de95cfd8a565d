-- Active crews whose last tick had a warning.
select
    crew.crew_code as crew,
    state.histories_table_name,
    state.last_warning
from analytics.crew_discovery_state as state
inner join app.crews as crew on crew.id = state.crew_id
where crew.is_active and state.last_warning is not null
order by crew.crew_code;
