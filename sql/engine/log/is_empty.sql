-- Whether there is nothing to trim: what the lake has not read is kept.
-- out: one row: is_empty
select not exists (
    select from analytics.changes
    where xid >= (select trimmed_below from analytics.trim_state)
        and coalesce(xid < (select min(pg_snapshot_xmin(snapshot)) from analytics.lake_state), true)
) as is_empty;
