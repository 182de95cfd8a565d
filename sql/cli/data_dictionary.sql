-- The data dictionary of `analytics` in Markdown, from the catalog's comments.
-- out: line, in order
with tables as (
    select
        c.oid,
        c.relname as name
    from pg_class as c
    where c.relnamespace = 'analytics'::regnamespace and c.relkind in ('r', 'v') and c.relname not like 'schema\_migration%%'
),

lines as (
    select '' as name, 0 as place, '# Data dictionary of `analytics`' as line
    union all
    select
        '',
        1,
        E'\n' || coalesce(obj_description('analytics'::regnamespace), 'It is empty: run `convo-pipelines migrate up`.')
    union all
    select name, -1, E'\n## ' || name || E'\n\n' || obj_description(oid) || E'\n\n| column | type | meaning |\n|---|---|---|'
    from tables
    union all
    select
        tables.name,
        attnum,
        format('| %%s | %%s | %%s |', attname, format_type(atttypid, atttypmod), col_description(tables.oid, attnum))
    from tables
    inner join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
)

select line
from lines
order by name, place;
