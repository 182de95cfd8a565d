-- Revokes what a decision replaces: the opposite; and, for a link, the link to another person of the same client.
-- in:  %(contacts)s, %(identifier)s: contact methods with one identifier, and the identifier, or null;
--      %(person_id)s, %(decision)s: the decision; %(by)s: name
update curation.participant_decisions as former
set
    revoked_at = now(),
    revoked_by = %(by)s
where former.revoked_at is null
    and (former.contact_method_id = any(%(contacts)s) or former.identifier = %(identifier)s)
    and case
        when former.person_id = %(person_id)s::uuid then former.decision <> %(decision)s
        else former.decision = 'link' and %(decision)s = 'link' and exists (
            select from app.people as person
            inner join app.people as other on other.client_id = person.client_id
            where person.id = %(person_id)s::uuid and other.id = former.person_id
        )
    end;
