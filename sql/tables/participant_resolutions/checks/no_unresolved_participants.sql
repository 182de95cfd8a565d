-- Contact methods and session ids that match no person, or contact methods that are not valid addresses: their conversations
-- lack a link. Add the identifier to the person in the CRM, set the contact method's person_id, or decide with
-- `convo-pipelines people link`; `convo-pipelines people who` shows what is known of one.
-- severity: WARN
-- out: contact methods, and session ids (without contact_method_id), that name nobody we know, those of the most messages first
select
    contact.id as contact_method_id,
    contact.kind::text,
    contact.value::text,
    resolution.status,
    (select count(*) from app.message_recipients where contact_method_id = contact.id) as messages
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
where resolution.status in ('unmatched', 'invalid')
union all
select
    null,
    kind,
    identifier,
    status,
    messages
from analytics.unknown_sessions
where status = 'unmatched'
order by messages desc, value;
