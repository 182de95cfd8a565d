-- The indexes beneath a view of app that lookups need and that are missing.
-- in:  %(table_name)s; %(columns)s: by which rows are found
-- out: a row each: run_this
select distinct run_this
from unnest(%(columns)s::text[]) as name
cross join lateral analytics.missing_indexes_beneath(%(table_name)s, name, 'btree') as run_this
order by run_this;
