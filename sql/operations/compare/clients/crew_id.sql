-- The client of each crew.
-- out: crew_id, client_code
select
    owner.crew_id,
    client.client_code
from analytics.crew_names as owner
inner join analytics.client_names as client on client.client_id = owner.client_id;
