create or replace view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at,
    visible.p50_seconds,
    visible.p99_seconds
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting
cross join lateral (
    select
        min(counted.seconds) filter (where counted.up_to >= 0.5 * counted.changes) as p50_seconds,
        min(counted.seconds) filter (where counted.up_to >= 0.99 * counted.changes) as p99_seconds
    from (
        select
            latency.seconds,
            sum(latency.changes) over (order by latency.seconds) as up_to,
            sum(latency.changes) over () as changes
        from analytics.latencies as latency
        where latency.table_name = state.asset_key and latency.hour >= date_trunc('hour', now()) - interval '1 hour'
    ) as counted
) as visible;

comment on view analytics.freshness is 'How up to date each table is: everything committed before as_of is included.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before this time is included, as far as the tables it is derived from include it; null: not '
'built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is
'When the oldest of these changes was made; null if there are none.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last succeeded.';
comment on column analytics.freshness.p50_seconds is
'Half of the changes of this and the last hour were visible within so many seconds of the application''s commit; '
'an upper bound. Null: there were none.';
comment on column analytics.freshness.p99_seconds is 'The same for 99 percent of them.';
