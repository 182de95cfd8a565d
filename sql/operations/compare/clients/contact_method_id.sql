-- The client of each contact method: that of its person.
-- out: contact_method_id, client_code
select
    resolution.contact_method_id,
    client.client_code
from analytics.participant_resolutions as resolution
inner join analytics.person_names as person on person.person_id = resolution.person_id
inner join analytics.client_names as client on client.client_id = person.client_id;
