-- Logs retries: the days of crews or clients of locked rows.
-- in:  diff, {column}: the crew or client; %(retry_source)s: `<table> retry`
insert into analytics.conversation_changes (source, {column}, activity_date, operation)
select
    %(retry_source)s,
    {column},
    activity_date,
    'update'
from diff
where change = 'locked';
