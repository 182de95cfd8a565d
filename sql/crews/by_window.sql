-- out: one row: is_any: whether a discovered crew's table is not captured, or does not exist
select exists (
    select from app.crews as crew
    inner join app.clients as client on client.id = crew.client_id
    left join analytics.capture_state as state on state.table_name = crew.histories_table_name
    left join analytics.crew_discovery_state as known on known.crew_id = crew.id
    where crew.is_active
        and client.is_active
        and (
            state.mode is distinct from 'captured'
            or known.crew_id is null or not known.is_discovered or known.histories_table_name <> crew.histories_table_name
        )
) as is_any;
