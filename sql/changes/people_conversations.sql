-- What the sources of people_conversations hold from an instant on.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
select
    concat_ws(':', count(*), sum(hash_record_extended(row(conversation_id, source, source_id, changed_at), 0)))
        as fingerprint,
    min(changed_at) as first_active_at,
    max(changed_at) as last_active_at
from analytics.conversation_changes
where changed_at >= %(since)s::timestamptz and not is_activity;
