-- The keys whose rows may have changed. Derived from rows.sql by `make keys`: edit that.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: client_id, activity_date
select
    change.client_id,
    change.activity_date
from analytics.conversation_days_changes as change
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and change.client_id is not null
    and change.activity_date is not null
union
select
    conversation_days.client_id,
    conversation_days.activity_date
from analytics.changed_clients as change
inner join analytics.conversation_days on conversation_days.client_id = change.id
where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot);
