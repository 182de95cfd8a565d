-- Days of crews that may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: crew_id, activity_date
select
    crew_id,
    activity_date
from analytics.histories_sessions_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and activity_date is not null
union
select
    day.crew_id,
    day.activity_date
from analytics.crews_changes as change
inner join app.crews as crew on crew.id = change.id
inner join analytics.histories_sessions as day on day.crew_id = crew.id
left join analytics.crew_activity_daily as present
    on present.crew_id = day.crew_id and present.activity_date = day.activity_date
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and (present.crew_code, present.crew_name, present.client_id)
        is distinct from (crew.crew_code, crew.name, crew.client_id)
union
select
    present.crew_id,
    present.activity_date
from analytics.crews_changes as change
inner join analytics.crew_activity_daily as present on present.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete';
