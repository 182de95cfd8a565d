-- name: relations
-- What the catalog says of relations.
-- in:  %(names)s: as schema.name
-- out: one row for each that is there: name, kind (pg_class.relkind), columns (their types, by name), keys (lists of columns that
--      are unique and not null; the primary key first), definition (of a view), is_histories (a crew's messages are in it)
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
    case when class.relkind in ('v', 'm') then pg_get_viewdef(class.oid) end as definition,
    class.relnamespace = 'app'::regnamespace
    and class.relname in (select histories_table_name from app.crews) as is_histories
from unnest(%(names)s::text[]) as named (name)
inner join pg_class as class on class.oid = to_regclass(named.name);


-- name: functions
-- The functions and aggregates of some names.
-- in:  %(names)s: as name, or schema.name; without a schema, those of pg_catalog
-- out: one row for each name and schema: name, schema_name, volatility (the least stable: v, s or i), is_set, body (of SQL
--      functions; null otherwise)
select
    named.name,
    proc.pronamespace::regnamespace::text as schema_name,
    max(case proc.provolatile when 'v' then '3' when 's' then '2' else '1' end) as volatility,
    bool_or(proc.proretset) as is_set
from unnest(%(names)s::text[]) as named (name)
inner join pg_proc as proc
    on proc.proname = reverse(split_part(reverse(named.name), '.', 1))
    and proc.pronamespace = case
        when named.name like '%%.%%' then to_regnamespace(split_part(named.name, '.', 1)) else 'pg_catalog'::regnamespace
    end
group by named.name, proc.pronamespace;


-- name: types
-- Types of columns, and whether values can be compared.
-- in:  %(oids)s, %(modifiers)s: pair by pair
-- out: one row for each, in their order: type, is_comparable, is_pseudo
select
    format_type(type.oid, nullif(given.modifier, -1)) as type,
    type.typtype = 'p' or type.oid = 'unknown'::regtype as is_pseudo,
    exists (
        select from pg_operator
        where oprname = '=' and oprleft = coalesce(nullif(type.typbasetype, 0), type.oid) and oprright = oprleft
    )
    or type.typtype in ('e', 'r', 'm', 'c', 'd') or type.typcategory = 'A' or type.oid = 'varchar'::regtype as is_comparable
from unnest(%(oids)s::oid[], %(modifiers)s::int[]) with ordinality as given (oid, modifier, number)
inner join pg_type as type on type.oid = given.oid
order by given.number;


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
