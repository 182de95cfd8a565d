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
