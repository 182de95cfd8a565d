-- Revokes a decision.
-- in:  %(id)s; %(by)s: name
-- out: id; no row if it is not in force
update curation.participant_decisions
set
    revoked_at = now(),
    revoked_by = %(by)s
where id = %(id)s and revoked_at is null
returning id;
