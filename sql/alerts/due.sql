-- Drops what ended before anybody was told; locks the rest that is due, so that nobody is told twice.
-- in:  %(reminder_seconds)s: after how long somebody is reminded
-- out: source, kind, subject, found, remedy, link, since, ended_at, notified_at; those that ended first
with unheard as (
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
