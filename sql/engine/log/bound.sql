-- The transaction below which every table has read the logs, or will read its sources anyway.
-- in:  %(tables)s: those that learn of deletions from the logs only: nothing is trimmed before the end of their first build;
--      %(logs)s: the logs
-- out: one row: bound (xid8: changes of transactions below it can be deleted; 0: none), trimmed_below; largest (estimated rows
--      of the largest log)
select
    case
        when count(*) filter (
            where state.asset_key = any(%(tables)s::text[]) and state.snapshot is not null
        ) < cardinality(%(tables)s::text[]) then '0'
        else least(
            pg_snapshot_xmin(pg_current_snapshot()),
            min(least(pg_snapshot_xmin(state.snapshot), pg_snapshot_xmin(state.building)))
        )::text
    end as bound,
    (select trimmed_below::text from analytics.trim_state) as trimmed_below,
    (
        select max(reltuples)::bigint from pg_class
        where relnamespace = 'analytics'::regnamespace and relname = any(%(logs)s::text[])
    ) as largest
from analytics.refresh_state as state;
