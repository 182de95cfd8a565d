-- Crews whose last runs failed; the worst hundred.
-- out: crew, failures (in a row)
select
    crew.crew_code as crew,
    state.consecutive_failures as failures
from analytics.crew_discovery_state as state
inner join app.crews as crew on crew.id = state.crew_id
where state.is_discovered and state.consecutive_failures > 0
order by state.consecutive_failures desc, crew.crew_code
limit 100;
