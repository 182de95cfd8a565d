-- name: pipeline
-- Totals of all crews and tables.
-- out: one row
select
    (select count(*) from analytics.conversation_summaries where source = 'histories') as sessions,
    (select count(*) from analytics.conversation_summaries) as conversations,
    (select count(*) from app.clients where is_active) as clients,
    count(*) as crews,
    count(*) filter (where state.consecutive_failures > 0) as failing_crews,
    coalesce(sum(state.sessions_scanned), 0)::bigint as sessions_scanned,
    coalesce(sum(state.conversations_created), 0)::bigint as conversations_created,
    coalesce(extract(epoch from max(state.last_run_at)), 0)::float8 as last_run,
    coalesce(max(state.last_duration_ms) / 1000.0, 0)::float8 as duration
from analytics.crew_discovery_state as state
where state.is_discovered;


-- name: logs
-- The size of each change log.
-- in:  %(sources)s, %(logs)s: sources and derived tables, and their logs
-- out: one row per change log: log, rows (not yet read by a tick, or not yet trimmed)
select
    named.log,
    count(change.source) as rows
from unnest(%(sources)s::text[], %(logs)s::text[]) as named (source, log)
left join analytics.changes as change on change.source in (named.source, named.source || ' retry')
group by named.log
order by named.log;


-- name: tables
-- The backlog of each derived table.
-- out: one row per table that was built: table, changes (logged, not read by its tick), oldest (seconds since the application
--      wrote the first that is not in the table yet, wherever it waits)
select
    fresh.table_name as "table",
    fresh.changes_waiting as changes,
    coalesce(extract(epoch from now() - delays.written_since), 0)::float8 as oldest
from analytics.freshness as fresh
inner join analytics.delays using (table_name)
where fresh.as_of is not null
order by fresh.table_name;


-- name: failures
-- Crews whose last runs failed; the worst hundred.
-- out: crew, failures (in a row)
select
    crew.crew_code as crew,
    state.consecutive_failures as failures
from analytics.crew_discovery_state as state
inner join app.crews as crew on crew.id = state.crew_id
where state.is_discovered and state.consecutive_failures > 0
order by state.consecutive_failures desc, crew.crew_code
limit 100;


-- name: alerts
-- Open alerts.
-- out: one row per source: source, alerts
select
    sources.source,
    count(alert.id) as alerts
from unnest(array['health', 'runs', 'checks']) as sources (source)
left join analytics.alerts as alert on alert.source = sources.source and alert.ended_at is null
group by sources.source;


-- name: latencies
-- How long the changes of each table took to be visible, since counting began.
-- out: one row per table and bound: table, seconds (the bound), changes, total_seconds
select
    table_name as "table",
    seconds,
    sum(changes)::bigint as changes,
    sum(total_seconds) as total_seconds
from analytics.latencies
group by table_name, seconds
order by table_name, seconds;
