-- Contact methods without a resolution, or resolved to a person other than the one that the application set: run
-- `convo-pipelines reconcile`.
-- in:  keys: those that the next tick will refresh
-- out: contact_method_id, kind, set_by_application, resolved_to, status
select
    contact.id as contact_method_id,
    contact.kind,
    contact.person_id as set_by_application,
    resolution.person_id as resolved_to,
    resolution.status
from app.contact_methods as contact
left join analytics.participant_resolutions as resolution on resolution.contact_method_id = contact.id
where contact.id not in (select id from pg_temp.keys)
    and (
        resolution.contact_method_id is null
        or contact.person_id is not null and contact.person_id is distinct from resolution.person_id
        or contact.person_id is null and resolution.method = 'manual'
    );
