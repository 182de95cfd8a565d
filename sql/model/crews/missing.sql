-- Whether the table of an active crew does not exist, or cannot exist because its name is too long.
-- out: one row: is_any
select count(*) > 0 as is_any
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
where crew.is_active and client.is_active and crew.histories_table_name is not null and state.table_oid is null;
