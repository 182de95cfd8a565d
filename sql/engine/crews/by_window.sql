-- Whether the table of a discovered crew is not captured, does not exist, or cannot exist (its name is too long).
-- out: one row: is_any
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
