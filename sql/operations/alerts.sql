-- name: observe
-- Opens or updates alerts for what a reporter (health, runs or checks) finds now. Several findings of one kind and subject
-- are one alert. Alerts that it no longer finds are ended, and those that ended a year ago are deleted.
-- in:  %(source)s; %(states)s: jsonb, rows of kind, subject, since (or null), found, remedy, link (or null);
--      %(is_all)s: whether these are all its findings
with found as (
    select
        kind,
        subject,
        min(since) as since,
        string_agg(found, '; ') as found,
        string_agg(distinct remedy, ' ') as remedy,
        min(link) as link
    from jsonb_to_recordset(%(states)s::jsonb)
        as state (kind text, subject text, since timestamptz, found text, remedy text, link text)
    group by kind, subject
),

ended as (
    update analytics.alerts as alert
    set ended_at = clock_timestamp()
    where alert.source = %(source)s
        and alert.ended_at is null
        and %(is_all)s
        and not exists (select from found where found.kind = alert.kind and found.subject = alert.subject)
),

forgotten as (
    delete from analytics.alerts
    where ended_at < clock_timestamp() - interval '1 year'
)

insert into analytics.alerts as alert (source, kind, subject, found, remedy, link, since)
select
    %(source)s,
    kind,
    subject,
    found,
    remedy,
    link,
    coalesce(since, now())
from found
on conflict (source, kind, subject) where ended_at is null do update set
    found = excluded.found,
    remedy = excluded.remedy,
    link = excluded.link;


-- name: end
-- Ends the open alerts of any kind on a subject.
-- in:  %(source)s, %(subject)s
update analytics.alerts
set ended_at = clock_timestamp()
where source = %(source)s and subject = %(subject)s and ended_at is null;


-- name: history
-- in:  %(days)s: how many days ago an alert may have ended
-- out: source, kind, subject, since, ended_at (null: open), notified_at (null: not), found, remedy, link; open ones first,
--      then the newest
select
    source,
    kind,
    subject,
    since,
    ended_at,
    notified_at,
    found,
    remedy,
    link
from analytics.alerts
where ended_at is null or ended_at > clock_timestamp() - make_interval(days => %(days)s)
order by ended_at is not null, since desc, kind, subject;


-- name: last_failed_run
-- The newest alert on failed runs: an open one, if there is any.
-- out: at most one row: job, since, ended_at (when the job succeeded again; null: not yet), error, link
select
    subject as job,
    since,
    ended_at,
    found as error,
    link
from analytics.alerts
where source = 'runs'
order by ended_at is not null, since desc
limit 1;


-- name: discard
-- If there are no receivers: clears failed deliveries, and marks ended alerts as notified.
update analytics.alerts
set
    end_notified_at = case when ended_at is not null then clock_timestamp() end,
    failed_deliveries = 0,
    last_error = null
where end_notified_at is null and (ended_at is not null or failed_deliveries > 0);


-- name: due
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


-- name: notified
-- Records the delivery of a notification, or its failure.
-- in:  %(ids)s: the alerts; %(is_notified)s: whether any receiver accepted the message; %(error)s: null if all did
update analytics.alerts
set
    notified_at = case when %(is_notified)s and ended_at is null then clock_timestamp() else notified_at end,
    end_notified_at = case when %(is_notified)s and ended_at is not null then clock_timestamp() end,
    failed_deliveries = case when %(error)s::text is null then 0 else failed_deliveries + 1 end,
    last_error = %(error)s::text
where id = any(%(ids)s::bigint[]);


-- name: record_outage
-- Records an outage of the database once it is over.
-- in:  %(kind)s, %(subject)s, %(found)s, %(remedy)s, %(since)s; %(notified_at)s: null if no notification was delivered
insert into analytics.alerts (source, kind, subject, found, remedy, since, ended_at, notified_at)
values (
    'health', %(kind)s, %(subject)s, %(found)s, %(remedy)s, %(since)s, clock_timestamp(), %(notified_at)s
);
