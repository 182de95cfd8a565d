-- The code of each client.
-- out: client_id, client_code
select
    client_id,
    client_code
from analytics.client_names;
