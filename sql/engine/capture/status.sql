-- The capture of tables that are read.
-- in:  %(names)s: only these, or null
-- out: one row per table: table_name, mode (captured, uncaptured or absent), is_wanted, remark,
--      next_attempt (null: none is due)
select
    source.name as table_name,
    case when source.is_captured then 'captured' when source.table_oid is null then 'absent' else 'uncaptured' end as mode,
    coalesce(state.is_wanted, true) as is_wanted,
    coalesce(state.remark, case when not source.is_captured then source.obstacle end) as remark,
    to_char(state.retry_at, 'YYYY-MM-DD HH24:MI:SS') as next_attempt
from analytics.source_tables(%(names)s::text[]) as source
left join analytics.capture_state as state on state.table_name = source.name
order by source.is_histories, source.name;
