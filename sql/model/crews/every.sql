-- Every crew, discovered or not.
-- out: one row per crew, by code: id, code, client_code, table_name, has_table
select
    crew.id,
    crew.crew_code as code,
    client.client_code,
    crew.histories_table_name as table_name,
    to_regclass(format('app.%%I', crew.histories_table_name)) is not null as has_table
from app.crews as crew
inner join app.clients as client on client.id = crew.client_id
order by crew.crew_code;
