-- What the sources of clients_conversations hold from an instant on.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
with changes as (
    select hash_record_extended(row(conversation_id, source, source_id, changed_at), 0) as hash, changed_at
    from analytics.conversation_changes
    where changed_at >= %(since)s::timestamptz and not is_activity
    union all
    select hash_record_extended(row(id, updated_at), 1), updated_at from analytics.people_conversations
    where updated_at >= %(since)s::timestamptz
)

select
    concat_ws(':', count(*), sum(hash)) as fingerprint,
    min(changed_at) as first_active_at,
    max(changed_at) as last_active_at
from changes;
