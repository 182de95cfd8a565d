-- in:  {target}, {key}
-- out: keys that stand more than once: the key, rows
select
    {key},
    count(*) as rows
from {target}
where ({key}) is not null
group by {key}
having count(*) > 1;
