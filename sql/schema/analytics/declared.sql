-- The sources, without histories tables: their schema, their name there, and the columns that are read.
create or replace function analytics.declared_sources() returns table (
    name text, schema_name text, relation_name text, reads text[]
)
language sql immutable rows 12 set search_path = pg_catalog, pg_temp
as $$
    values
    {sources}
$$;

-- The logs that triggers write, and the functions of these triggers.
create or replace function analytics.declared_logs() returns table (source text, log text, function_name text)
language sql immutable rows 12 set search_path = pg_catalog, pg_temp
as $$
    values
    {logs}
$$;

-- The columns of analytics that refer to rows of the application, as the tables' definitions say.
create or replace function analytics.declared_references() returns table (child text, column_name text, parent text)
language sql immutable rows 16 set search_path = pg_catalog, pg_temp
as $$
    values
    {references}
$$;
