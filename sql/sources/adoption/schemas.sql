-- The schemas of the application.
-- out: a row each: name, has_tables
select
    schema.nspname::text as name,
    exists(
        select from pg_class as class
        where class.relnamespace = schema.oid and class.relkind in ('r', 'p')
    ) as has_tables
from pg_namespace as schema
where schema.nspname !~ '^pg_' and schema.nspname not in ('information_schema', 'app', 'analytics', 'curation')
order by schema.nspname;
