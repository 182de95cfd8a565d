-- Selects and locks the alerts to notify of, so that each is sent once. Those that ended before any notification need none.
-- in:  %(reminder_seconds)s: time between reminders
-- out: id, kind, subject, found, remedy, link, since, ended_at, notified_at (time of the last notification); new ones first,
--      ended ones last
with unnotified as (
    update analytics.alerts
    set end_notified_at = clock_timestamp()
    where ended_at is not null and notified_at is null and end_notified_at is null
)

select
    id,
    kind,
    subject,
    found,
    remedy,
    link,
    since,
    ended_at,
    notified_at
from analytics.alerts
where end_notified_at is null
    and (
        ended_at is not null and notified_at is not null
        or ended_at is null
        and coalesce(notified_at, '-infinity') < clock_timestamp() - make_interval(secs => %(reminder_seconds)s)
    )
order by ended_at is not null, notified_at is not null, since, kind, subject
for update skip locked;
