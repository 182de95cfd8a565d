-- Decides, unless the same is in force.
-- in:  %(contact_method_id)s, %(person_id)s, %(decision)s: link or never; %(reason)s; %(by)s: who
insert into curation.participant_decisions (contact_method_id, person_id, decision, reason, decided_by)
values (%(contact_method_id)s, %(person_id)s, %(decision)s, %(reason)s, %(by)s)
on conflict (contact_method_id, person_id) where revoked_at is null do nothing;
