-- Chooses the decisions on contact methods or an identifier as the keys of participant_resolutions, revoked ones included.
-- in:  %(contacts)s, %(identifier)s: contact methods; an identifier, or null
-- out: keys
create temporary table pg_temp.keys on commit drop as
select
    decision as source,
    id
from curation.participant_decisions
where contact_method_id = any(%(contacts)s) or identifier = %(identifier)s;
