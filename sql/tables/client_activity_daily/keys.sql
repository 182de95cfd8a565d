-- Days of clients that may have changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: client_id, activity_date
select
    client_id,
    activity_date
from analytics.conversation_days_changes
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and activity_date is not null
union
select
    day.client_id,
    day.activity_date
from analytics.clients_changes as change
inner join app.clients as client on client.id = change.id
inner join analytics.conversation_days as day on day.client_id = client.id
left join analytics.client_activity_daily as present
    on present.client_id = day.client_id and present.activity_date = day.activity_date
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and present.client_code is distinct from client.client_code
union
select
    present.client_id,
    present.activity_date
from analytics.clients_changes as change
inner join analytics.client_activity_daily as present on present.client_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.operation = 'delete';
