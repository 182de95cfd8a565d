-- Contact methods that match no person, or are not valid addresses: their conversations lack a link. Add the identifier to the
-- person in the CRM, or set the contact method's person_id.
-- severity: WARN
-- out: contact methods that name nobody we know, those of the most messages first
select
    contact.id as contact_method_id,
    contact.kind,
    contact.value,
    resolution.status,
    (select count(*) from app.message_recipients where contact_method_id = contact.id) as messages
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
where resolution.status in ('unmatched', 'invalid')
order by messages desc, contact.value;
