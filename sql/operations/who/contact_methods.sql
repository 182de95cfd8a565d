-- Contact methods, how each is resolved, and the messages that it is a recipient or sender of.
-- in:  %(ids)s: contact methods
-- out: contact_method_id, kind, value, status (null: no tick has read it yet), method, confidence, candidates, person_id,
--      messages
select
    contact.id as contact_method_id,
    contact.kind,
    contact.value,
    resolution.status,
    resolution.method,
    resolution.confidence,
    resolution.candidate_count as candidates,
    resolution.person_id,
    (select count(distinct message_id) from app.message_recipients where contact_method_id = contact.id) as messages
from app.contact_methods as contact
left join analytics.participant_resolutions as resolution on resolution.contact_method_id = contact.id
where contact.id = any(%(ids)s)
order by contact.kind, contact.value, contact.id;
