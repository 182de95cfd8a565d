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
