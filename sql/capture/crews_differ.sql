-- out: one row: is_any: whether a crew was switched on or off, or names another table or client than it was last read from
select exists (
    select from app.crews as crew
    inner join app.clients as client on client.id = crew.client_id
    inner join analytics.crew_discovery_state as state on state.crew_id = crew.id
    where (crew.is_active and client.is_active) <> state.is_discovered
        or (state.histories_table_name, state.client_id) is distinct from (crew.histories_table_name, crew.client_id)
) as is_any;
