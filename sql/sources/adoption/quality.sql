-- What a view of app shows.
-- in:  {view}; {key}: its columns that no two rows share; {is_null}: whether one of them is null; {is_known}: whether each of its
--      columns has a value that means something
-- out: one row: rows, null_keys, double_keys, unknown_values
select
    count(*) as rows,
    count(*) filter (where {is_null}) as null_keys,
    count(*) filter (where not ({is_null})) - count(distinct row({key})) filter (where not ({is_null})) as double_keys,
    count(*) filter (where ({is_known}) is not true) as unknown_values
from {view};
