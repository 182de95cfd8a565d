-- name: function
-- The statement that creates a function.
-- in:  %(name)s: with its arguments
-- out: one row: definition
select pg_get_functiondef(%(name)s::regprocedure) as definition;


-- name: columns
-- The columns of a table or view.
-- in:  %(oid)s
-- out: one row: types (jsonb: the type of each), written (those that may be), exact (those whose values are read from their text
--      as they were, whatever the settings)
select
    jsonb_object_agg(attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)) as types,
    array_agg(attribute.attname::text) filter (where attribute.attgenerated = '' and attribute.attidentity <> 'a') as written,
    coalesce(
        array_agg(attribute.attname::text) filter (
            where type.typtype = 'e'
                or type.typname in ('bool', 'int2', 'int4', 'int8', 'numeric', 'oid', 'text', 'uuid', 'varchar')
                and type.typnamespace = 'pg_catalog'::regnamespace
        ), array[]::text[]
    ) as exact
from pg_attribute as attribute
inner join pg_type as own on own.oid = attribute.atttypid
inner join pg_type as type on type.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
where attribute.attrelid = %(oid)s::oid and attribute.attnum > 0 and not attribute.attisdropped;


-- name: relation
-- A relation, and its definition if it is a view. Names in it are qualified if the search path is empty.
-- in:  %(relation)s
-- out: one row: oid; name (quoted); schema_name; relation_name; is_table; definition (null: it is no view)
select
    class.oid::bigint,
    format('%%I.%%I', schema.nspname, class.relname) as name,
    schema.nspname::text as schema_name,
    class.relname::text as relation_name,
    class.relkind in ('r', 'p') as is_table,
    case when class.relkind = 'v' then pg_get_viewdef(class.oid) end as definition
from pg_class as class
inner join pg_namespace as schema on schema.oid = class.relnamespace
where class.oid = %(relation)s::regclass;


-- name: unknown_calls
-- Functions that views call, directly or not, and whose own calls cannot be known. They are in languages other than SQL and
-- PL/pgSQL, or put statements together.
-- in:  %(views)s: their oids
-- out: a row per function: name
select function.oid::regprocedure::text as name
from analytics.called_by(%(views)s::oid[]) as called
inner join pg_proc as function on function.oid = called.oid and called.kind = 'pg_proc'::regclass
inner join pg_language as language on language.oid = function.prolang
where language.lanname not in ('internal', 'c', 'sql', 'plpgsql')
    or language.lanname = 'plpgsql' and function.prosrc ~* '[[:<:]]execute[[:>:]]'
order by 1;


-- name: lock_function
-- Creates the function that locks a view's rows in the table beneath against deletion, without waiting.
-- in:  {function}; {table}, {alias}; {id}: what the view shows as id; {column}: of the table; {key}: its value for an id, `key`
create or replace function {function}(ids uuid[]) returns setof uuid
language sql security definer set search_path = pg_catalog, pg_temp
as $function$
    select {id} from {table} as {alias}
    where {column} = any(array(select {key} from unnest(ids) as key))
    order by {column}
    for key share of {alias} skip locked
$function$;
revoke all on function {function}(uuid[]) from public;


-- name: insert_function
-- Has conversations of crews' sessions inserted into the table beneath a view, by the rights of who inserts. Rows that the view
-- does not show are refused.
-- in:  {function}, {trigger}; {view}; {table}, {alias}; {columns}, {values}: what is written; {id}: what the view shows as id
create or replace function {function}() returns trigger
language plpgsql
as $function$
begin
    if new.channel is distinct from 'crew' or new.crew_id is null or new.session_id is null then
        raise exception 'only conversations of crews'' sessions are inserted into {view}' using errcode = 'insufficient_privilege';
    end if;
    insert into {table} as {alias} ({columns})
    values ({values})
    returning {id} into new.id;
    if not exists (select from {view} as shown where shown.crew_id = new.crew_id and shown.session_id = new.session_id) then
        raise exception '{view} does not show the row that was inserted' using errcode = 'no_data';
    end if;
    return new;
end
$function$;
create trigger {trigger} instead of insert on {view}
for each row execute function {function}();
do $grants$
declare
    used regclass;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        grant select, insert ({columns}) on {table} to convo_pipeline;
        for used in
            select objid from pg_depend
            where classid = 'pg_class'::regclass and refobjid = {table_name}::regclass and deptype = 'a'
                and objid in (select seqrelid from pg_sequence)
        loop
            execute format('grant usage on sequence %s to convo_pipeline', used);
        end loop;
    end if;
end
$grants$;


-- name: functions
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


-- name: copy_view
-- Creates a view, to see how PostgreSQL reads a query.
-- in:  {view}: its name; {query}
create temporary view pg_temp.{view} as {query};


-- name: meaning
-- What PostgreSQL keeps of a view: the tree of its query, without where it stood in a text and how it is printed.
-- in:  %(relation)s
-- out: one row: tree
select
    regexp_replace(
        replace(rule.ev_action::text, ':relid ' || rule.ev_class, ''),
        ':([a-z_]*location|[a-z]+format|row_format|stmt_len|list_start|list_end) -?[0-9]+', '', 'g'
    ) as tree
from pg_rewrite as rule
where rule.ev_class = %(relation)s::regclass;


-- name: copy
-- Creates an empty copy of tables, whose indexes prove what follows from a row alone.
-- in:  {copy}: its name; {columns}, {tables}
create temporary table pg_temp.{copy} as
select {columns} from {tables}
with no data;


-- name: unsettled
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
