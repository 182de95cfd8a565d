-- out: one row per active crew: capture mode, unread changes, and the result of its last run
with unread as (
    select
        change.table_oid,
        count(*) filter (where change.operation in ('insert', 'update', 'move', 'delete')) as waiting,
        min(coalesce(change.activity_date, '0001-01-02'))
        filter (where change.operation in ('everything', 'truncate')) as rest_from
    from analytics.session_changes as change
    inner join analytics.refresh_state as state on state.asset_key = 'histories_sessions'
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
    group by change.table_oid
)

select
    crew.crew_code as crew,
    state.mode,
    coalesce(waiting.changes, 0)::bigint as waiting,
    case when waiting.rest_from = '0001-01-02' then 'everything' else 'from ' || waiting.rest_from end as to_read,
    to_char(state.last_success_at, 'YYYY-MM-DD HH24:MI:SS') as last_success,
    state.last_duration_ms as ms,
    coalesce(state.consecutive_failures, 0) as failures,
    coalesce(state.last_error, state.last_warning) as message
from app.crews as crew
left join analytics.crew_discovery_state as state on state.crew_id = crew.id
left join analytics.capture_state as source on source.table_name = crew.histories_table_name
left join lateral (
    select
        sum(unread.waiting) as changes,
        min(unread.rest_from) as rest_from
    from unread
    where unread.table_oid = any(source.members)
) as waiting on true
where crew.is_active
order by crew.crew_code;
