-- out: resolutions of a contact method, or to a person, that does not exist
select
    resolution.contact_method_id,
    resolution.person_id,
    case when contact.id is null then 'contact method' else 'person' end as missing
from analytics.participant_resolutions as resolution
left join app.contact_methods as contact on contact.id = resolution.contact_method_id
left join app.people as person on person.id = resolution.person_id
where contact.id is null or person.id is null and resolution.person_id is not null
limit 1000;
