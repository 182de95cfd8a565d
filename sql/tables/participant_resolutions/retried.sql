-- Contact methods that the last tick logged for retry.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: rank, source, id
select
    4 as rank,
    'contact_method' as source,
    contact_method_id as id
from analytics.participant_resolutions_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and operation = 'retry';
