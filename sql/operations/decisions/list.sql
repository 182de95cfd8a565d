-- Decisions, the newest first.
-- in:  %(is_all)s: include revoked ones; %(contacts)s, %(identifier)s: only on these contact methods or this identifier, or null
-- out: one row per decision; client and person's name are null if the person no longer exists
select
    decision.id,
    decision.decision,
    coalesce(decision.identifier, contact.value) as contact,
    decision.person_id,
    person.name as person,
    client.client_code as client,
    decision.reason,
    decision.decided_by,
    to_char(decision.decided_at, 'YYYY-MM-DD HH24:MI') as decided_at,
    decision.revoked_by,
    to_char(decision.revoked_at, 'YYYY-MM-DD HH24:MI') as revoked_at
from curation.participant_decisions as decision
left join app.contact_methods as contact on contact.id = decision.contact_method_id
left join app.people as person on person.id = decision.person_id
left join app.clients as client on client.id = person.client_id
where (%(is_all)s or decision.revoked_at is null)
    and (
        %(contacts)s::uuid[] is null
        or decision.contact_method_id = any(%(contacts)s)
        or decision.identifier = %(identifier)s
    )
order by decision.decided_at desc, decision.id;
