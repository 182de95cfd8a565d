-- When tables were last written, according to the log.
-- in:  %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots; %(sources)s: the tables
-- out: one row per table with changes: source, updated_at
select
    source,
    max(logged_at) as updated_at
from analytics.changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and source = any(%(sources)s::text[])
group by source;
