-- name: relations
-- What the catalog says of relations.
-- in:  %(names)s: as schema.name
-- out: one row for each that is there: name, kind (pg_class.relkind), columns (their types, by name), keys (lists of columns that
--      are unique and not null; the primary key first), vague (columns of which equal values differ: their collation is not
--      deterministic), definition (of a view), is_histories (a crew's messages are in it)
select
    named.name,
    class.relkind::text as kind,
    (
        select jsonb_object_agg(attname, format_type(atttypid, atttypmod))
        from pg_attribute
        where attrelid = class.oid and attnum > 0 and not attisdropped
    ) as columns,
    coalesce(
        (
            select jsonb_agg(keys.columns order by keys.is_primary desc, keys.columns)
            from (
                select
                    index.indisprimary as is_primary,
                    array_agg(attribute.attname::text order by attribute.attname) as columns
                from pg_index as index
                inner join pg_attribute as attribute
                    on attribute.attrelid = class.oid and attribute.attnum = any(index.indkey::int2[])
                where index.indrelid = class.oid and index.indisunique and index.indisvalid
                    and index.indpred is null and index.indexprs is null and index.indnkeyatts = index.indnatts
                group by index.indexrelid, index.indisprimary
                having bool_and(attribute.attnotnull)
            ) as keys
        ),
        '[]'
    ) as keys,
    array(
        select attribute.attname::text
        from pg_attribute as attribute
        inner join pg_collation as sorted on sorted.oid = attribute.attcollation
        where attribute.attrelid = class.oid and not sorted.collisdeterministic
    ) as vague,
    case when class.relkind in ('v', 'm') then pg_get_viewdef(class.oid) end as definition,
    class.relnamespace = 'app'::regnamespace
    and class.relname in (select histories_table_name from app.crews) as is_histories
from unnest(%(names)s::text[]) as named (name)
inner join pg_class as class
    on class.oid = to_regclass(
        quote_ident(split_part(named.name, '.', 1)) || '.' || quote_ident(split_part(named.name, '.', 2))
    );


-- name: store
-- Stores a query as a view, for what PostgreSQL then knows of it.
-- in:  {query}
create temporary view convo_rows as
{query};


-- name: stored
-- The text of that query as PostgreSQL understands it, with constants evaluated.
-- out: one row: query
select pg_get_viewdef('pg_temp.convo_rows'::regclass) as query;


-- name: functions
-- The functions that the stored query and views call, also by operators and casts.
-- in:  %(views)s: as schema.name
-- out: one row for each: name, schema_name, volatility, kind (pg_proc.prokind), is_set, arguments (their number), is_inexact (it
--      adds numbers whose sum depends on their order)
select distinct
    proc.proname::text as name,
    proc.pronamespace::regnamespace::text as schema_name,
    proc.provolatile::text as volatility,
    proc.prokind::text as kind,
    proc.proretset as is_set,
    proc.pronargs as arguments,
    proc.prokind = 'a'
    and proc.proargtypes::oid[] && array['float4'::regtype::oid, 'float8'::regtype::oid]
    and proc.proname ~ '^(sum|avg|stddev|var|corr|covar|regr)' as is_inexact
from pg_rewrite as rule
cross join regexp_matches(rule.ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') as called (ids)
inner join pg_proc as proc on proc.oid = called.ids[1]::oid
where rule.ev_class = 'pg_temp.convo_rows'::regclass
    or rule.ev_class in (
        select to_regclass(quote_ident(split_part(name, '.', 1)) || '.' || quote_ident(split_part(name, '.', 2)))
        from unnest(%(views)s::text[]) as named (name)
    )
order by name;


-- name: types
-- The columns of the stored query, their types, and whether values can be compared.
-- out: one row for each, in their order: name, type, is_comparable, is_array, collation (whether it has one of its own)
select
    attribute.attname::text as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    exists (
        select from pg_operator
        where oprname = '=' and oprleft = coalesce(nullif(type.typbasetype, 0), type.oid) and oprright = oprleft
    )
    or type.typtype in ('e', 'r', 'm', 'c', 'd') or type.typcategory = 'A' or type.oid = 'varchar'::regtype as is_comparable,
    type.typcategory = 'A' as is_array,
    attribute.attcollation <> type.typcollation as collation
from pg_attribute as attribute
inner join pg_type as type on type.oid = attribute.atttypid
where attribute.attrelid = 'pg_temp.convo_rows'::regclass
order by attribute.attnum;


-- name: described
-- Returns no row; its columns are those of a query.
-- in:  {query}
select * from (
{query}
) as described limit 0;


-- name: keyed
-- The rows of `keys`. If possible, the conditions are pushed down into the query.
-- in:  keys; {query}; {conditions}: that a row is of one of the keys
select rows.* from (
{query}
) as rows
where {conditions};


-- name: unique
-- The rows of `keys`, of which no two may have the same key.
-- in:  {rows}: as keyed; {key}: its columns; {named}: these, as a literal; {shown}: those without personal data
select * from (
    select
        keyed.*,
        count(*) over (partition by {key}) as convo_rows
    from (
{rows}
    ) as keyed
) as counted
where convo_rows = 1 or analytics.is_only(convo_rows, concat({named}, ': ', concat_ws(', ', {shown})));


-- name: every
-- All keys of a query and of its table; the rows of the query without a key have no row in the table.
-- in:  {query}, {table}; {key}
-- out: {key}
select {key} from (
{query}
) as rows
where ({key}) is not null
union
select {key} from {table};


-- name: window
-- The keys of the rows of a query, and of its table, with activity in a window.
-- in:  {query}, {table}; {key}; {within}: whether a row has activity in the window
-- out: {key}
select {key} from (
{query}
) as rows
where {within} and ({key}) is not null
union
select {key} from {table}
where {within};


-- name: within_days
-- in:  {day}: a column with days; %(window_start)s, %(window_end)s
{day} >= (%(window_start)s::timestamptz at time zone 'UTC')::date
and {day} < (%(window_end)s::timestamptz at time zone 'UTC')::date;


-- name: within_times
-- in:  {day}: a column with times; %(window_start)s, %(window_end)s
{day} >= %(window_start)s::timestamptz and {day} < %(window_end)s::timestamptz;
