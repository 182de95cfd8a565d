-- Logs retries: the days of crews or clients of locked rows.
-- in:  diff, {column}: the crew or client; %(source)s: `<table> retry`
insert into analytics.conversation_changes (source, {column}, activity_date, operation)
select
    %(source)s,
    {column},
    activity_date,
    'update'
from pg_temp.diff
where change = 'locked';
