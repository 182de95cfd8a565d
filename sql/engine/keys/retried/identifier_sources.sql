-- Contact methods that the last tick logged for retry.
-- in:  %(retry_source)s; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
-- out: rank, source, id
select
    4 as rank,
    'contact_method' as source,
    id
from analytics.identifier_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and source = %(retry_source)s and id is not null;
