-- out: one row per derived table: as of when it is right, what waits for its next tick, and who is at work on it
select
    fresh.table_name as "table",
    to_char(fresh.as_of, 'YYYY-MM-DD HH24:MI:SS') as as_of,
    case
        when state.snapshot is null then 'not built'
        else to_char(now() - fresh.as_of, 'HH24:MI:SS')
    end as age,
    fresh.changes_waiting as waiting,
    to_char(now() - fresh.waiting_since, 'HH24:MI:SS') as oldest,
    to_char(fresh.last_success_at, 'YYYY-MM-DD HH24:MI:SS') as last_success,
    case when state.lease_until > clock_timestamp() then state.lease_holder end as at_work
from analytics.freshness as fresh
inner join analytics.refresh_state as state on state.asset_key = fresh.table_name
order by fresh.table_name;
