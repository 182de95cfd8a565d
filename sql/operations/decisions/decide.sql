-- Inserts a decision, unless the same is in force.
-- in:  %(contacts)s: contact methods with one identifier; the decision names the first; %(person_id)s;
--      %(decision)s: link or never; %(reason)s; %(by)s: name
insert into curation.participant_decisions (contact_method_id, person_id, decision, reason, decided_by)
select
    (%(contacts)s::uuid[])[1],
    %(person_id)s,
    %(decision)s,
    %(reason)s,
    %(by)s
where not exists (
    select from curation.participant_decisions
    where revoked_at is null
        and contact_method_id = any(%(contacts)s)
        and person_id = %(person_id)s
        and decision = %(decision)s
);
