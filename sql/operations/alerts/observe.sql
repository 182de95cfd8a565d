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
