-- Rights that are missing to write the logs and to create the triggers.
-- out: a row per object and role: subject (the object), name (the object, without its schema), failure, run_this
with logs (function, log) as (
    select
        'analytics.' || function_name || '()',
        'analytics.' || log
    from analytics.declared_logs()
),

writers as (
    select
        logs.*,
        proc.proowner as writer,
        class.relowner as owner
    from logs
    inner join pg_proc as proc on proc.oid = logs.function::regprocedure
    inner join pg_class as class on class.oid = logs.log::regclass
),

installer as (
    select proowner as role from pg_proc
    where oid = 'analytics.capture(regclass)'::regprocedure
)

select
    log as subject,
    split_part(log, '.', 2) as name,
    function || ' belongs to ' || writer::regrole || ', and ' || log || ' to ' || owner::regrole || ': give both to one role'
        as failure,
    'alter function ' || function || ' owner to ' || owner::regrole as run_this
from writers
where writer <> owner
union all
select
    log,
    split_part(log, '.', 2),
    writer::regrole || ', which writes ' || log || ', may not: grant it insert',
    'grant insert on ' || log || ' to ' || writer::regrole
from writers
where not has_table_privilege(writer, log, 'insert')
union all
select
    'analytics',
    'analytics',
    writer::regrole || ', which writes ' || log || ', may not use schema analytics: grant it usage',
    'grant usage on schema analytics to ' || writer::regrole
from writers
where not has_schema_privilege(writer, 'analytics', 'usage')
union all
select
    'curation.project_assignments',
    'project_assignments',
    proowner::regrole || ', which writes curation.project_assignments, may not: grant it insert, and usage on schema curation',
    'grant usage on schema curation to ' || proowner::regrole || '; grant insert on curation.project_assignments to '
    || proowner::regrole
from pg_proc
where oid = 'analytics.log_conversations()'::regprocedure
    and not (
        has_schema_privilege(proowner, to_regnamespace('curation'), 'usage')
        and has_table_privilege(proowner, to_regclass('curation.project_assignments'), 'insert')
    )
union all
select
    'analytics',
    'analytics',
    role::regrole || ', the owner of analytics.capture(), may not use schema analytics: grant it usage',
    'grant usage on schema analytics to ' || role::regrole
from installer
where not has_schema_privilege(role, 'analytics', 'usage')
union all
select
    function,
    split_part(split_part(function, '.', 2), '(', 1),
    role::regrole || ', the owner of analytics.capture(), may not execute ' || function || ': grant it execute',
    'grant execute on function ' || function || ' to ' || role::regrole
from installer
cross join logs
where not has_function_privilege(role, function, 'execute')
union all
select
    format('app.%%I', source.table_name),
    source.table_name,
    installer.role::regrole || ', the owner of analytics.capture(), is no member of ' || class.relowner::regrole
    || ', which owns ' || source.table_name || ': its triggers could not be created again',
    'grant ' || class.relowner::regrole || ' to ' || installer.role::regrole
from installer
cross join analytics.capture_state as source
inner join pg_class as class on class.oid = source.table_oid
where source.mode = 'captured' and not pg_has_role(installer.role, class.relowner, 'usage')
order by failure;
