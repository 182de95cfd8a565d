-- name: findings
-- Problems with tables, their capture, the logs, and transactions that hold them back.
-- in:  %(limits)s: jsonb, maximum seconds that a change may wait, by table; %(largest_log_rows)s;
--      %(lake_seconds)s: maximum seconds between ticks of the lake; %(oldest_seconds)s: maximum age of a transaction;
--      %(failing_seconds)s: how long a table may fail
-- out: one row per finding: kind, subject, since (null: not known), found
with wanted as (
    select
        key as table_name,
        value::float8 as seconds
    from jsonb_each_text(%(limits)s::jsonb)
)

select
    'a table is behind' as kind,
    fresh.table_name as subject,
    delays.written_since as since,
    fresh.changes_waiting || ' changes waiting' as found
from wanted
inner join analytics.freshness as fresh using (table_name)
inner join analytics.delays using (table_name)
inner join analytics.refresh_state as state on state.asset_key = wanted.table_name
where fresh.changes_waiting > 0
    and state.last_error is null
    and delays.written_since < clock_timestamp() - make_interval(secs => wanted.seconds)
union all
select
    'a table fails',
    state.asset_key,
    state.failing_since,
    state.last_error
from analytics.refresh_state as state
where state.last_error is not null and state.failing_since < clock_timestamp() - make_interval(secs => %(failing_seconds)s)
union all
select
    'a table was never built',
    wanted.table_name,
    state.last_run_at,
    case when state.last_run_at is null then 'no tick has started' else 'no tick has succeeded' end
from wanted
cross join analytics.trim_state as installed  -- nothing is trimmed before the first tables are built
left join analytics.refresh_state as state on state.asset_key = wanted.table_name
where state.snapshot is null
    and coalesce(state.last_run_at, installed.trimmed_at) < clock_timestamp() - make_interval(secs => wanted.seconds)
    and not exists (select from analytics.refresh_state where lease_until > clock_timestamp())
union all
select
    'a table is not captured',
    state.table_name,
    state.changed_at,
    coalesce(state.remark, 'it has no triggers')
from analytics.capture_state as state
where state.mode <> 'captured' and state.is_wanted and state.table_oid is not null
union all
select
    'rows of a child are left out',
    key.confrelid::regclass::text,
    null,
    string_agg(distinct heir.oid::regclass::text, ', ') || ' inherits from it'
from pg_constraint as key
inner join pg_inherits on pg_inherits.inhparent = key.confrelid
inner join pg_class as heir on heir.oid = pg_inherits.inhrelid
where key.contype = 'f'
    and key.connamespace = 'analytics'::regnamespace
    and not heir.relispartition
    and pg_relation_size(heir.oid) > 0
group by key.confrelid
union all
select
    'a log is large',
    class.relname::text,
    null,
    'about ' || class.reltuples::bigint || ' rows'
from pg_class as class
where class.relnamespace = 'analytics'::regnamespace
    and class.relname like '%%\_changes'
    and class.reltuples > %(largest_log_rows)s
union all
select
    'the lake is behind',
    min(table_name),
    min(attempted_at),
    count(*) || ' tables have not been looked at since'
from analytics.lake_state
where attempted_at < clock_timestamp() - make_interval(secs => %(lake_seconds)s)
having count(*) > 0
union all
select
    'a transaction holds snapshots back',
    coalesce('pid ' || activity.pid, prepared.gid),
    coalesce(activity.xact_start, prepared.prepared),
    'of ' || coalesce(activity.usename::text, prepared.owner::text) || coalesce(', ' || activity.state, ', prepared')
from (select pg_snapshot_xmin(pg_current_snapshot())::text::numeric as xid) as oldest
left join pg_stat_activity as activity on activity.backend_xid::text = mod(oldest.xid, 4294967296)::text
left join pg_prepared_xacts as prepared on prepared.transaction::text = mod(oldest.xid, 4294967296)::text
where coalesce(activity.xact_start, prepared.prepared) < clock_timestamp() - make_interval(secs => %(oldest_seconds)s)
union all
select
    'the database came from another server',
    min(asset_key),
    null,
    count(*) || ' tables were restored; the next tick rebuilds them'
from analytics.refresh_state
where mod(written_by::text::numeric, 4294967296) <> xmin::text::numeric
having count(*) > 0
union all
select
    'alerts are not delivered',
    'ALERT_URLS',
    min(since),
    min(last_error)
from analytics.alerts
where failed_deliveries > 0 and ended_at is null
having count(*) > 0
order by 1, 2;


-- name: server
-- Where the server is.
-- out: one row: data_directory (null if this role may not see it), address (null: a socket of its machine)
select
    (select setting from pg_settings where name = 'data_directory') as data_directory,
    host(inet_server_addr()) as address;
