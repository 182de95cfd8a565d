-- Tables whose catalog entry differs from the stored state, so that rows may have come or gone without being logged; and
-- tables that were locked by another session when they were to be captured, and are due.
-- in:  %(names)s: only these, or null
-- out: one row per table: name, is_histories, table_oid (null: it does not exist), members, obstacle, is_captured, has_others,
--      identity, columns, is_wanted, is_exchanged (views and foreign keys may refer to what had its name before)
select
    source.name,
    source.is_histories,
    source.table_oid,
    source.members,
    source.obstacle,
    source.is_captured,
    source.has_others,
    source.identity,
    source.columns,
    coalesce(state.is_wanted, true) as is_wanted,
    not source.is_histories and (source.table_oid, source.columns) is distinct from (state.table_oid, state.columns) as is_exchanged
from analytics.source_tables(%(names)s::text[]) as source
left join analytics.capture_state as state on state.table_name = source.name
where (source.table_oid, source.identity, source.columns)
    is distinct from (state.table_oid, state.identity, state.columns)
    or state.retry_at <= clock_timestamp()
order by source.name;
