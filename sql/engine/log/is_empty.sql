-- Whether there is nothing to trim: what the lake has not read is kept.
-- out: one row: is_empty
select not exists (
    select from analytics.changes
    where xid >= (select trimmed_below from analytics.trim_state)
        and xid < coalesce(
            (select min(pg_snapshot_xmin(snapshot)) from analytics.lake_state), '18446744073709551615'  -- the largest
        )
) as is_empty;
