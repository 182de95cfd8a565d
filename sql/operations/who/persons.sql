-- The persons that an identifier may name, with the reason for each.
-- in:  %(key)s: the identifier, or the id of a contact method without one
-- out: client, person_id, person, because, as_written
select
    client.client_code as client,
    named.person_id,
    person.name as person,
    case named.source
        when 'person' then 'the person''s own ' || named.kind
        when 'contact_method' then 'the application gave the person contact method ' || named.source_id
        when 'link' then 'decision ' || named.source_id
        else 'excluded by decision ' || named.source_id
    end as because,
    named.value as as_written
from analytics.identifiers as named
left join app.people as person on person.id = named.person_id
left join app.clients as client on client.id = named.client_id
where named.identifier = %(key)s and named.person_id is not null
order by client.client_code, person.name, named.person_id, named.source;
