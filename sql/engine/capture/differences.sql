-- Tables whose catalog entry differs from the stored state, so that rows may have come or gone without being logged; and
-- tables that were locked by another session when they were to be captured.
-- in:  %(table_name)s: only this one, or null; %(retry_seconds)s: after how long the latter are retried
-- out: one row per table: name, is_histories, table_oid (null: it does not exist), members, obstacle, is_captured, identity,
--      is_wanted, is_exchanged (views and foreign keys may refer to what had its name before)
select
    source.name,
    source.is_histories,
    source.table_oid,
    source.members,
    source.obstacle,
    source.is_captured,
    source.identity,
    coalesce(state.is_wanted, true) as is_wanted,
    not source.is_histories and (source.table_oid, source.columns) is distinct from (state.table_oid, state.columns) as is_exchanged
from analytics.source_tables(%(table_name)s) as source
left join analytics.capture_state as state on state.table_name = source.name
where (source.table_oid, source.identity, source.columns)
    is distinct from (state.table_oid, state.identity, state.columns)
    or not state.is_settled and state.changed_at <= clock_timestamp() - make_interval(secs => %(retry_seconds)s)
order by source.name;
