-- Logs retries: the contact methods of locked rows.
-- in:  diff, {column}: the contact method; %(retry_source)s: `<table> retry`
insert into analytics.identifier_changes (source, id, operation)
select distinct
    %(retry_source)s,
    {column},
    'update'
from diff
where change = 'locked';
