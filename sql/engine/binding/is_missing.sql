-- Whether one of the views was dropped with a table that it read.
-- in:  %(views)s: names
-- out: one row: is_any_missing
select bool_or(to_regclass(name) is null) as is_any_missing
from unnest(%(views)s::text[]) as name;
