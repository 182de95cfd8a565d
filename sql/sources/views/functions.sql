-- Functions that return one value for each row.
-- in:  %(names)s: with their schema
-- out: a row per function: name
select name
from unnest(%(names)s::text[]) as name
where exists (
    select from pg_proc as function
    inner join pg_namespace as schema on schema.oid = function.pronamespace
    where name = concat(schema.nspname, '.', function.proname)
    group by name
    having bool_and(function.prokind = 'f' and not function.proretset)
);
