-- What the sources of conversation_summaries hold from an instant on, and whether summaries are stale.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing), is_stale
with changes as (
    select hash_record_extended(row(crew_id, session_id, activity_date, refreshed_at), 0) as hash, first_message_at as at
    from analytics.histories_sessions
    where refreshed_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 1), updated_at from app.conversations
    where updated_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 2), sent_at from app.messages
    where updated_at >= %(since)s::timestamptz
    union all
    select hash_record_extended(row(id, updated_at), 3), updated_at from app.message_recipients
    where updated_at >= %(since)s::timestamptz
)

select
    concat_ws(':', count(*), sum(hash)) as fingerprint,
    min(at) as first_active_at,
    max(at) as last_active_at,
    exists (select from analytics.conversation_summaries where refreshed_at = '-infinity') as is_stale
from changes;
