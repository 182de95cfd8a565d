-- out: one row per derived table: its freshness, its unread changes, the age of the oldest change that is not in it yet, wherever
--      it waits; within how many seconds half and 99 percent of this and the last hour's changes were visible; and the holder of
--      its lease; why its last tick failed
select
    fresh.table_name as "table",
    to_char(fresh.as_of, 'YYYY-MM-DD HH24:MI:SS') as as_of,
    case
        when state.snapshot is null then 'not built'
        else to_char(now() - fresh.as_of, 'HH24:MI:SS')
    end as age,
    fresh.changes_waiting as unread,
    to_char(now() - delays.written_since, 'HH24:MI:SS') as oldest,
    fresh.p50_seconds as p50,
    fresh.p99_seconds as p99,
    to_char(fresh.last_success_at, 'YYYY-MM-DD HH24:MI:SS') as last_success,
    case when state.lease_until > clock_timestamp() then state.lease_holder end as lease_holder,
    state.last_error as error
from analytics.freshness as fresh
inner join analytics.delays using (table_name)
inner join analytics.refresh_state as state on state.asset_key = fresh.table_name
order by fresh.table_name;
