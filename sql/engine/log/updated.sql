-- in:  %(seen)s, %(taken)s; %(sources)s: tables
-- out: one row per table with changes logged between the snapshots: source, updated_at
select
    source,
    max(logged_at) as updated_at
from analytics.changes
where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and source = any(%(sources)s::text[])
group by source;
