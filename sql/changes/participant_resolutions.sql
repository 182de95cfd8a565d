-- What the sources of participant_resolutions hold from an instant on, and whether rows lost theirs by a delete.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing), is_stale
with changes as (
    select hash_record_extended(row(place_id, kind, changed_at), 0) as hash, changed_at as at
    from analytics.identifier_places
    where changed_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 1), updated_at from app.crews
    where updated_at >= %(since)s::timestamptz
)

select
    concat_ws(':', count(*), sum(hash)) as fingerprint,
    min(at) as first_active_at,
    max(at) as last_active_at,
    exists (
        select from analytics.identifiers
        where person_id is null and contact_method_id is null and conversation_id is null
    )
    or exists (select from analytics.participant_resolutions where status = 'resolved' and person_id is null)
    or exists (select from analytics.session_resolutions where candidate_count = 1 and person_id is null) as is_stale
from changes;
