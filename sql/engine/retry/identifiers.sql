-- Logs retries: the contact methods of locked rows.
-- in:  diff, {column}: the contact method; %(source)s: `<table> retry`
insert into analytics.identifier_changes (source, id, operation)
select distinct
    %(source)s,
    {column},
    'update'
from pg_temp.diff
where change = 'locked';
