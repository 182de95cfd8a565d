-- Inserts a decision, unless the same is in force.
-- in:  %(contact_id)s: the contact method it names; null: it names %(identifier)s; %(contacts)s: all contact methods with that
--      identifier; %(person_id)s; %(decision)s: link or never; %(reason)s; %(by)s: name
insert into curation.participant_decisions (contact_method_id, identifier, person_id, decision, reason, decided_by)
select
    %(contact_id)s::uuid,
    case when %(contact_id)s::uuid is null then %(identifier)s::text end,
    %(person_id)s,
    %(decision)s,
    %(reason)s,
    %(by)s
where not exists (
    select from curation.participant_decisions
    where revoked_at is null
        and (contact_method_id = any(%(contacts)s) or identifier = %(identifier)s)
        and person_id = %(person_id)s
        and decision = %(decision)s
);
