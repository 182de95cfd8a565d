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
