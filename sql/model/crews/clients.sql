-- out: one row per client, by code: id, code
select
    id,
    client_code as code
from app.clients
order by client_code;
