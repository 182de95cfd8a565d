-- The crews that are discovered: active ones of active clients.
-- in:  %(codes)s: only the crews with these codes, or null for all; %(clients)s: only those of these clients, or null
-- out: one row per crew, by code: id, code, client_code, table_name, members
select
    crew.id,
    crew.crew_code as code,
    client.client_code,
    crew.histories_table_name as table_name,
    state.members
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
left join analytics.capture_state as state on state.table_name = crew.histories_table_name
where crew.is_active
    and client.is_active
    and (%(codes)s::text[] is null or crew.crew_code = any(%(codes)s::text[]))
    and (%(clients)s::text[] is null or client.client_code = any(%(clients)s::text[]))
order by crew.crew_code;
