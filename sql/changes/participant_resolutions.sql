-- What the sources of participant_resolutions hold from an instant on, and which rows lost their person.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
with changes as (
    select hash_record_extended(row(place_id, kind, changed_at), 0) as hash, changed_at as at
    from analytics.identifier_places
    where changed_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 1), updated_at from app.crews
    where updated_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(place_id, kind), 2), now() from analytics.identifiers
    where person_id is null and contact_method_id is null and conversation_id is null
    union all
    select hash_record_extended(row(contact_method_id), 3), now() from analytics.participant_resolutions
    where status = 'resolved' and person_id is null
    union all
    select hash_record_extended(row(conversation_id), 4), now() from analytics.session_resolutions
    where candidate_count = 1 and person_id is null
)

select
    concat_ws(':', count(*), sum(hash)) as fingerprint,
    min(at) as first_active_at,
    max(at) as last_active_at
from changes;
