-- The tables and views of a schema.
-- in:  %(schema)s
-- out: name
select relname as name from pg_class
where relnamespace = to_regnamespace(%(schema)s) and relkind in ('r', 'p', 'v', 'm', 'f');
