-- The transaction below which every table has read the logs, or will read its sources anyway; and the lake, if it follows. It
-- keeps no log that is too large: it will write all days then.
-- in:  %(tables)s: those that learn of deletions from the logs only: nothing is trimmed before the end of their first build;
--      %(logs)s: the logs; %(largest_for_lake)s: the largest number of rows that it keeps
-- out: one row: bound (xid8: changes of transactions below it can be deleted; 0: none), trimmed_below; largest (estimated rows
--      of the largest log)
with largest as (
    select max(reltuples)::bigint as rows from pg_class
    where relnamespace = 'analytics'::regnamespace and relname = any(%(logs)s::text[])
)

select
    case
        when count(*) filter (
            where state.asset_key = any(%(tables)s::text[]) and state.snapshot is not null
        ) < cardinality(%(tables)s::text[]) then '0'
        else least(
            pg_snapshot_xmin(pg_current_snapshot()),
            min(least(pg_snapshot_xmin(state.snapshot), pg_snapshot_xmin(state.building))),
            (
                select min(pg_snapshot_xmin(lake.snapshot)) from analytics.lake_state as lake
                where (select rows from largest) <= %(largest_for_lake)s
            )
        )::text
    end as bound,
    (select trimmed_below::text from analytics.trim_state) as trimmed_below,
    (select rows from largest) as largest
from analytics.refresh_state as state;
