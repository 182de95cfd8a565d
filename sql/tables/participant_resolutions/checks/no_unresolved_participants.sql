-- Contact methods without a known person, those with the most messages first.
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
