-- What was logged between two snapshots.
-- in:  {changes}: those that the table follows; %(from_snapshot)s, %(to_snapshot)s; %(snapshot_at)s: when the first was taken
-- out: one row: operations (`<source> <operation>`), is_everything (whole tables have to be read), written_at (when the oldest
--      change was made; at the earliest, when the first snapshot was taken)
select
    array_agg(distinct source || ' ' || operation) as operations,
    coalesce(bool_or(is_everything), false) as is_everything,
    greatest(min(logged_at), %(snapshot_at)s::timestamptz) as written_at
from (
{changes}
) as change
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);
