-- in:  %(from_snapshot)s, %(to_snapshot)s; %(sources)s: tables
-- out: one row per table with changes logged between the snapshots: source, updated_at
select
    source,
    max(logged_at) as updated_at
from analytics.changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and source = any(%(sources)s::text[])
group by source;
