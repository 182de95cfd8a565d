-- What the source of project_conversations holds from an instant on.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
select
    concat_ws(':', count(*), sum(hash_record_extended(row(id, updated_at), 0))) as fingerprint,
    min(updated_at) as first_active_at,
    max(updated_at) as last_active_at
from app.conversations
where updated_at >= %(since)s::timestamptz;
