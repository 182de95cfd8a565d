-- What the sources of project_link_inconsistencies hold from an instant on.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
with changes as (
    select hash_record_extended(row(id, updated_at), 0) as hash, updated_at from app.conversations
    where updated_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 1), updated_at from app.projects
    where updated_at >= %(since)s::timestamptz
)

select
    concat_ws(':', count(*), sum(hash)) as fingerprint,
    min(updated_at) as first_active_at,
    max(updated_at) as last_active_at
from changes;
