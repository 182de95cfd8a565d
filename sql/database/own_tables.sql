-- name: columns
-- The columns of a table, and their types.
-- in:  %(relation)s: as schema.name
-- out: one row: columns (null: the table is not there)
select jsonb_object_agg(attname, format_type(atttypid, atttypmod) order by attnum) as columns
from pg_attribute
where attrelid = to_regclass(%(relation)s) and attnum > 0 and not attisdropped;


-- name: defined
-- The tables whose definition is stored.
-- out: one row each: name, definition
select
    asset_key as name,
    definition
from analytics.refresh_state
where definition is not null;


-- name: forget
-- Forgets what is stored of a table.
-- in:  %(name)s
with states as (
    delete from analytics.refresh_state where asset_key = %(name)s
),

oddities as (
    delete from analytics.oddities where asset_key = %(name)s
),

lakes as (
    delete from analytics.lake_state where table_name = %(name)s
)

delete from analytics.latencies where table_name = %(name)s;


-- name: define
-- Stores the definition of a table.
-- in:  %(name)s, %(definition)s: or null
insert into analytics.refresh_state as state (asset_key, follows, definition)
values (%(name)s, array[]::text[], %(definition)s)
on conflict (asset_key) do update set
    definition = excluded.definition,
    written_by = pg_current_xact_id();


-- name: depends
-- What views and functions do.
-- in:  %(names)s: of each, with its schema
-- out: one row each: name, definition: what identifies it
select
    named.name,
    md5(concat(
        (
            select pg_get_viewdef(class.oid) from pg_class as class
            where class.relnamespace = place.schema_oid and class.relname = place.name and class.relkind = 'v'
        ),
        (
            select string_agg(pg_get_functiondef(proc.oid), '' order by pg_get_function_identity_arguments(proc.oid))
            from pg_proc as proc
            where proc.pronamespace = place.schema_oid and proc.proname = place.name and proc.prokind = 'f'
        )
    )) as definition
from unnest(%(names)s::text[]) as named (name)
cross join lateral (
    select
        to_regnamespace(quote_ident(split_part(named.name, '.', 1))) as schema_oid,
        split_part(named.name, '.', 2) as name
) as place;


-- name: note
-- Stores which redefined view or function a table reads, if any, after its definition.
-- in:  %(name)s; %(definition)s; %(found)s: with the view or function
update analytics.refresh_state set definition = %(found)s
where asset_key = %(name)s and split_part(definition, ' ', 1) = %(definition)s and definition <> %(found)s;


-- name: log
-- Has triggers log all changes of a derived table, if they do not yet.
-- in:  {relation}, {function}: the one that logs them; as literals
select analytics.create_triggers({relation}::regclass, {function}, false, false)
where not analytics.triggers_log({relation}::regclass, null);


-- name: log_no_more
-- Drops these triggers, unless the lake needs them.
-- in:  {relation}, {name}: as literals
select analytics.drop_triggers({relation}::regclass, '')
where analytics.triggers_log({relation}::regclass, null)
    and not exists (select from analytics.lake_state where table_name = {name} and followed_by is not null);


-- name: is_there
-- in:  %(name)s: of a table, with its schema
-- out: one row: is_there
select to_regclass(%(name)s) is not null as is_there;


-- name: views
-- The views in other schemas that `table apply` keeps.
-- out: one row each: name: that of its table; schema; columns: with their types
select
    class.relname as name,
    namespace.nspname as schema,
    jsonb_object_agg(attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)) as columns
from pg_class as class
inner join pg_namespace as namespace on class.relnamespace = namespace.oid
inner join pg_attribute as attribute on attribute.attrelid = class.oid
where class.relkind = 'v' and attribute.attnum > 0
    and obj_description(class.oid, 'pg_class')
    = 'Shows analytics.' || class.relname || '; `convo-pipelines table apply` keeps it.'
group by class.oid, namespace.nspname;


-- name: has_schema
-- in:  %(name)s
-- out: one row: has_schema
select exists(select from pg_namespace where nspname = %(name)s) as has_schema;


-- name: lock_writers
-- Waits for the transactions that wrote tables with these trigger functions, and keeps others from writing them.
-- in:  %(functions)s: trigger functions; %(logs)s: the names of the sources that they log, for the tables beneath views
select analytics.lock_source(written.relation, 'share row exclusive')
from (
    select distinct trigger.tgrelid::regclass as relation
    from pg_trigger as trigger
    inner join pg_proc as proc on trigger.tgfoid = proc.oid
    where trigger.tgparentid = 0 and trigger.tgname ~ '^convo_pipelines_' and proc.pronamespace = 'analytics'::regnamespace
        and proc.proname in (
            select unnest(%(functions)s::text[])
            union all
            select beneath.function_name from analytics.adopted_tables as beneath
            inner join analytics.adopted_views as shown on beneath.view_oid = shown.view_oid
            where shown.table_name = any(%(logs)s::text[])
        )
) as written;


-- name: release
-- Drops the triggers of tables that are no sources any more.
-- in:  %(functions)s: the trigger functions of all sources
select analytics.drop_triggers(former.relation, '')
from (
    select distinct trigger.tgrelid::regclass as relation
    from analytics.schema_migration_code as code
    inner join pg_proc as proc on code.name = 'function analytics.' || proc.proname
    inner join pg_trigger as trigger on trigger.tgfoid = proc.oid
    where proc.pronamespace = 'analytics'::regnamespace and proc.proname like 'log\_%%'
        and trigger.tgname ~ '^convo_pipelines_[a-z]+$'
        and 'analytics.' || proc.proname <> all(%(functions)s::text[])
) as former;
