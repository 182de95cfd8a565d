-- out: one row: is_any: whether a discovered crew's table is not captured, or does not exist, or cannot
select exists (
    select from analytics.capture_state as state
    inner join app.crews as crew on crew.histories_table_name = state.table_name
    inner join app.clients as client on client.id = crew.client_id
    where state.mode = 'window' and crew.is_active and client.is_active
) or exists (
    select from app.crews as crew
    inner join app.clients as client on client.id = crew.client_id
    where octet_length(crew.histories_table_name) > 63 and crew.is_active and client.is_active
) as is_any;
