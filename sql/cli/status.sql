-- name: crews
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


-- name: tables
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


-- name: foreign_keys
-- Columns that refer to rows of the application without a valid foreign key.
-- out: one row per column: column, refers_to, remark
select
    child || '.' || column_name as "column",
    'app.' || parent as refers_to,
    case
        when obstacle is not null then obstacle
        when not is_wanted then 'switched off'
        else 'the next tick adds it'
    end as remark
from analytics.foreign_keys()
where not (is_wanted and is_right and is_valid)
order by 1;


-- name: holders
-- The oldest transaction that has written: snapshots, and with them log trimming, wait for it.
-- out: at most one row: transaction, pid (null if prepared), role, since (null if hidden from this role), state
select
    oldest.xid::text as "transaction",
    activity.pid,
    coalesce(activity.usename::text, prepared.owner::text || ', prepared as ' || prepared.gid) as role,
    to_char(coalesce(activity.xact_start, prepared.prepared), 'YYYY-MM-DD HH24:MI:SS') as since,
    coalesce(activity.state, case when prepared.gid is not null then 'prepared' end) as state
from (
    select
        pg_snapshot_xmin(pg_current_snapshot()) as xid,
        pg_snapshot_xmax(pg_current_snapshot()) as next_xid
) as oldest
left join pg_stat_activity as activity on activity.backend_xid::text = mod(oldest.xid::text::numeric, 4294967296)::text
left join pg_prepared_xacts as prepared on prepared.transaction::text = mod(oldest.xid::text::numeric, 4294967296)::text
where oldest.xid < oldest.next_xid;
