-- Records the delivery of a notification, or its failure; deletes the alerts that have ended.
-- in:  %(alerts)s: jsonb, rows of source, kind, subject; %(is_notified)s: whether any receiver accepted the message;
--      %(error)s: null if all did
with named as (
    select * from jsonb_to_recordset(%(alerts)s::jsonb) as state (source text, kind text, subject text)
),

gone as (
    delete from analytics.alerts as alert
    using named
    where alert.source = named.source and alert.kind = named.kind and alert.subject = named.subject
        and alert.ended_at is not null
        and %(is_notified)s
)

update analytics.alerts as alert
set
    notified_at = case when %(is_notified)s then clock_timestamp() else alert.notified_at end,
    failed_deliveries = case when %(error)s::text is null then 0 else alert.failed_deliveries + 1 end,
    last_error = %(error)s::text
from named
where alert.source = named.source and alert.kind = named.kind and alert.subject = named.subject
    and (alert.ended_at is null or not %(is_notified)s);
