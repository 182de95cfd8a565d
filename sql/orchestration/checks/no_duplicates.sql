-- Duplicate keys.
-- in:  {target}, {key}
-- out: one row per duplicate key: the key, rows
select
    {key},
    count(*) as rows
from {target}
where ({key}) is not null
group by {key}
having count(*) > 1;
