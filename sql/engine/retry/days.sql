-- Logs again the days of crews or clients that a refresh left for later.
-- in:  diff, {column}: the crew or client; %(source)s: what its next tick looks for
insert into analytics.conversation_changes (source, {column}, activity_date, operation)
select
    %(source)s,
    {column},
    activity_date,
    'update'
from diff
where change = 'locked';
