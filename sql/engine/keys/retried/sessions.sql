-- Sessions that the last tick logged for retry.
-- in:  %(retry_source)s; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: crew_id, session_id
select
    crew_id,
    session_id
from analytics.conversation_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source = %(retry_source)s and crew_id is not null;
