-- Functions of others, whose bodies PostgreSQL does not look into before they are called.
-- out: description, body
select
    pg_describe_object('pg_proc'::regclass, pg_proc.oid, 0) as description,
    prosrc as body
from pg_proc
inner join pg_namespace on pg_namespace.oid = pronamespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'analytics', 'curation') and prosrc <> ''
order by 1;
