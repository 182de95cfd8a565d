-- Logs retries: the keys of locked rows.
-- in:  diff; {log}, {logged}: its columns that the rows have
insert into {log} ({logged}, operation)
select distinct
    {logged},
    'retry'
from diff
where change = 'locked';
