-- What the sources of crew_conversations hold from an instant on.
-- in:  %(since)s
-- out: one row: fingerprint, first_active_at, last_active_at (null: nothing)
select
    concat_ws(':', count(*), sum(hash_record_extended(row(crew_id, session_id, activity_date, refreshed_at), 0)))
        as fingerprint,
    min(first_message_at) as first_active_at,
    max(first_message_at) as last_active_at
from analytics.histories_sessions
where refreshed_at >= %(since)s::timestamptz;
