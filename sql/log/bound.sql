-- Up to where every table has read the logs, or will read its sources anyway.
-- out: one row: bound (xid8: what is below it can go), trimmed_below; largest (estimated rows of the largest log)
select
    least(
        pg_snapshot_xmin(pg_current_snapshot()),
        min(least(pg_snapshot_xmin(state.snapshot), pg_snapshot_xmin(state.building)))
    )::text as bound,
    (select trimmed_below::text from analytics.trim_state) as trimmed_below,
    (
        select max(reltuples)::bigint from pg_class
        where relnamespace = 'analytics'::regnamespace and relname like '%%\_changes' and relkind = 'r'
    ) as largest
from analytics.refresh_state as state;
