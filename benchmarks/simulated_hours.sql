-- Copies the runs that `template` holds, with all that Dagster stored of them, once per hour of `%(days)s` days from
-- `%(start)s` on, as the ticks of those hours; their partition is the hour's day.
create temporary table copies as
select
    template.run_id as old,
    gen_random_uuid()::text as new,
    %(start)s::timestamp + hour * interval '1 hour' as at
from template.runs as template
cross join generate_series(0, %(days)s * 24 - 1) as hour;

create temporary table copied_events as
select
    nextval('event_logs_id_seq') as new_id,
    events.id as old_id,
    copies.*
from copies
inner join template.event_logs as events on events.run_id = copies.old
order by copies.at, events.id;

insert into runs (
    run_id, snapshot_id, pipeline_name, mode, status, run_body, create_timestamp, update_timestamp, start_time, end_time
)
select
    new, snapshot_id, pipeline_name, mode, status, replace(run_body, old, new), at, at,
    extract(epoch from at), extract(epoch from at)
from copies
inner join template.runs on run_id = old;

insert into run_tags (run_id, key, value)
select new, key, value
from copies
inner join template.run_tags on run_id = old;

insert into event_logs (id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
select
    new_id, new, replace(replace(event, old, new), %(today)s, to_char(at, 'YYYY-MM-DD')), dagster_event_type, at, step_key,
    asset_key, case when partition is not null then to_char(at, 'YYYY-MM-DD') end
from copied_events
inner join template.event_logs on id = old_id;

insert into asset_event_tags (event_id, asset_key, key, value, event_timestamp)
select new_id, asset_key, key, value, at
from copied_events
inner join template.asset_event_tags on event_id = old_id;

insert into asset_check_executions (
    asset_key, check_name, run_id, execution_status, evaluation_event, evaluation_event_timestamp, create_timestamp
)
select asset_key, check_name, new, execution_status, evaluation_event, at, at
from copies
inner join template.asset_check_executions on run_id = old
order by at;

drop table copied_events, copies;
