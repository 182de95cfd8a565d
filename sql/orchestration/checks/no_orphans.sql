-- Dangling references.
-- in:  {target}, {key}, {column}; {parent}: the table in app that the column refers to
-- out: one row per dangling reference: the key, missing
select
    {key},
    {column} || ' in ' || %(parent)s as missing
from {target} as target
where {column} is not null and not exists (select from {parent} as parent where parent.id = target.{column});
