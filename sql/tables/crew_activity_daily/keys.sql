-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: crew_id, activity_date
select
    change.crew_id,
    change.activity_date
from analytics.histories_sessions_changes as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.crew_id is not null
    and change.activity_date is not null
union
select
    change.id as crew_id,
    present.activity_date
from analytics.changed_crews as change
inner join analytics.crew_activity_daily as present on present.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete'
    and change.id is not null
union
select
    histories_sessions.crew_id,
    histories_sessions.activity_date
from analytics.changed_crews as change
inner join analytics.histories_sessions on histories_sessions.crew_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);
