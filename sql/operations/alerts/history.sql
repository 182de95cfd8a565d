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
