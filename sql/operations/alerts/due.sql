-- Deletes alerts that ended before any notification; selects and locks the alerts to notify of, so that each is sent once.
-- in:  %(reminder_seconds)s: time between reminders
-- out: source, kind, subject, found, remedy, link, since, ended_at, notified_at (time of the last notification); ended ones first
with unnotified as (
    delete from analytics.alerts where ended_at is not null and notified_at is null
)

select
    source,
    kind,
    subject,
    found,
    remedy,
    link,
    since,
    ended_at,
    notified_at
from analytics.alerts
where ended_at is not null and notified_at is not null
    or ended_at is null
    and coalesce(notified_at, '-infinity') < clock_timestamp() - make_interval(secs => %(reminder_seconds)s)
order by ended_at nulls last, since, kind, subject
for update skip locked;
