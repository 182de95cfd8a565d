-- Whether the table of an active crew does not exist, or cannot exist because its name is too long.
-- out: one row: is_any
select exists (
    select from app.crews as crew
    inner join app.clients as client on client.id = crew.client_id
    where crew.is_active and client.is_active and not exists (
        select from analytics.capture_state as state
        where state.table_name = crew.histories_table_name and state.table_oid is not null
    )
) as is_any;
