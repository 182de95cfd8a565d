-- name: delete_reported
-- In Dagster's database: deletes materializations that were reported without a run, as the webhook's are, except the newest
-- of each partition.
-- in:  %(before)s: delete those reported before
with newest as materialized (
    select max(id) as id
    from event_logs
    where dagster_event_type = 'ASSET_MATERIALIZATION'
    group by asset_key, partition
),

old as materialized (
    select id
    from event_logs
    where run_id = ''
        and dagster_event_type = 'ASSET_MATERIALIZATION'
        and timestamp < %(before)s at time zone 'utc'
        and id not in (select id from newest)
),

without_tags as (
    delete from asset_event_tags
    using old
    where asset_event_tags.event_id = old.id
)

delete from event_logs
using old
where event_logs.id = old.id;


-- name: delete_runs
-- In Dagster's database: deletes finished runs with everything stored for them. Runs that hold the newest materialization or
-- observation of a partition, or the newest result of a check, are kept: the partition or check would show as missing.
-- in:  %(before)s: delete runs created before; %(rows)s: maximum number, the oldest first
-- out: run_id
with newest as materialized (
    select run_id
    from event_logs
    where id in (
        select max(id)
        from event_logs
        where dagster_event_type in ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')
        group by dagster_event_type, asset_key, partition
    )
    union
    select run_id
    from asset_check_executions
    where id in (
        select max(id)
        from asset_check_executions
        where execution_status in ('SUCCEEDED', 'FAILED')
        group by asset_key, check_name, partition
    )
),

old as (
    select runs.run_id
    from runs
    where runs.status in ('SUCCESS', 'FAILURE', 'CANCELED')
        and runs.create_timestamp < %(before)s at time zone 'utc'
        and not exists (select from newest where newest.run_id = runs.run_id)
    order by runs.id
    limit %(rows)s
),

without_tags as (
    delete from asset_event_tags
    using event_logs, old
    where event_logs.run_id = old.run_id and asset_event_tags.event_id = event_logs.id
),

without_events as (
    delete from event_logs
    using old
    where event_logs.run_id = old.run_id
),

without_check_results as (
    delete from asset_check_executions
    using old
    where asset_check_executions.run_id = old.run_id
)

delete from runs
using old
where runs.run_id = old.run_id
returning runs.run_id;
