-- Logs again the contact methods that a refresh left for later.
-- in:  diff, {column}: the contact method; %(source)s: what its next tick looks for
insert into analytics.identifier_changes (source, id, operation)
select distinct
    %(source)s,
    {column},
    'update'
from diff
where change = 'locked';
