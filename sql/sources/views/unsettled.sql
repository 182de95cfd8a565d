-- Functions whose result may differ, or may depend on more than their arguments and on settings.
-- in:  %(names)s: with their schema; %(settled)s: those of pg_catalog that depend on settings only
-- out: a row per function: name
select name
from unnest(%(names)s::text[]) as name
where name <> all(%(settled)s::text[]) and exists (
    select from pg_proc as function
    inner join pg_namespace as schema on schema.oid = function.pronamespace
    where name = concat(schema.nspname, '.', function.proname) and function.prokind = 'f' and function.provolatile <> 'i'
)
order by name;
