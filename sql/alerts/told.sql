-- Notes that somebody was told of what was due, or why not; what has ended goes.
-- in:  %(told)s: jsonb, rows of source, kind, subject; %(is_told)s: whether anybody took the message; %(error)s: null if all did
with named as (
    select * from jsonb_to_recordset(%(told)s::jsonb) as state (source text, kind text, subject text)
),

gone as (
    delete from analytics.alerts as alert
    using named
    where alert.source = named.source and alert.kind = named.kind and alert.subject = named.subject
        and alert.ended_at is not null
        and %(is_told)s
)

update analytics.alerts as alert
set
    notified_at = case when %(is_told)s then clock_timestamp() else alert.notified_at end,
    failed_deliveries = case when %(error)s::text is null then 0 else alert.failed_deliveries + 1 end,
    last_error = %(error)s::text
from named
where alert.source = named.source and alert.kind = named.kind and alert.subject = named.subject
    and (alert.ended_at is null or not %(is_told)s);
