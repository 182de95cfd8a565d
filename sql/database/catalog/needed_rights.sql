-- Rights that ticks need, and that the role which runs them lacks. That role is convo_pipeline if it owns analytics and the role
-- of this session is a member. Otherwise it is the role of this session. Only the system catalog is read, which needs no right.
-- in:  %(sources)s: further tables of app that are read; %(targets)s: further tables of analytics that are written
-- out: a row per object and role: subject (the object), name (the object, without its schema), failure, run_this
with roles as (
    select
        role.oid,
        quote_ident(role.rolname) as name,
        role.rolsuper or role.rolbypassrls as sees_all_rows
    from pg_roles as role
    inner join pg_namespace as schema on schema.nspname = 'analytics'
    where role.rolname in (current_user, 'convo_pipeline')
        and case
            when pg_get_userbyid(schema.nspowner) = 'convo_pipeline' then pg_has_role(role.oid, schema.nspowner, 'member')
            else role.rolname = current_user
        end
),

relations as (
    select
        class.oid,
        class.relname,
        class.relowner,
        class.relrowsecurity,
        class.relforcerowsecurity,
        format('%%I.%%I', schema.nspname, class.relname) as subject,
        case
            when schema.nspname = 'app' then array['select']
            when class.relname = 'participant_decisions' then array['select']
            when class.relname = 'project_assignments' then array['select', 'delete']
            when class.relkind = 'v' or class.relname like 'schema\_migration%%' then array['select']
            else array['select', 'insert', 'update', 'delete']
        end as rights
    from pg_namespace as schema
    inner join pg_class as class on class.relnamespace = schema.oid and class.relkind in ('r', 'p', 'v', 'm', 'f')
    where schema.nspname = 'app' and class.relname = any(
        array[
            'clients',
            'crews',
            'people',
            'contact_methods',
            'conversations',
            'messages',
            'message_recipients',
            'projects',
            'users'
        ] || %(sources)s::text[]
    )
    or schema.nspname = 'curation' and class.relname in ('participant_decisions', 'project_assignments')
    or schema.nspname = 'analytics' and (class.relowner = schema.nspowner or class.relname = any(%(targets)s::text[]))
),

lacking (subject, name, role, rights, object) as (
    select
        relations.subject,
        relations.relname,
        roles.name,
        string_agg(needed.privilege, ', ' order by needed.number),
        relations.subject
    from relations
    cross join roles
    cross join lateral unnest(relations.rights) with ordinality as needed (privilege, number)
    where not has_table_privilege(roles.oid, relations.oid, needed.privilege)
    group by relations.subject, relations.relname, roles.name
    union all
    select
        quote_ident(schema.nspname),
        schema.nspname,
        roles.name,
        'usage',
        'schema ' || quote_ident(schema.nspname)
    from pg_namespace as schema
    cross join roles
    where schema.nspname in ('app', 'analytics', 'curation') and not has_schema_privilege(roles.oid, schema.oid, 'usage')
    union all
    select
        format('%%I.%%I(%%s)', schema.nspname, proc.proname, pg_get_function_identity_arguments(proc.oid)),
        proc.proname,
        roles.name,
        'execute',
        format('function %%I.%%I(%%s)', schema.nspname, proc.proname, pg_get_function_identity_arguments(proc.oid))
    from pg_namespace as schema
    inner join pg_proc as proc on proc.pronamespace = schema.oid
    cross join roles
    where schema.nspname = 'analytics'
        and proc.prorettype <> 'trigger'::regtype
        and (proc.prosecdef or proc.provolatile <> 'v')  -- the others are called by these
        and proc.proname not like all(array['lock\_view\_%%', 'look\_up\_%%'])
        and not has_function_privilege(roles.oid, proc.oid, 'execute')
    union all
    select
        quote_ident(current_database()),
        current_database(),
        roles.name,
        'temporary',
        'database ' || quote_ident(current_database())
    from roles
    where not has_database_privilege(roles.oid, current_database(), 'temporary')
)

select
    subject,
    name,
    format(
        '%%s may not %%s %%s',
        role,
        case rights when 'temporary' then 'create temporary tables in' when 'usage' then 'use' else rights end,
        object
    )
        as failure,
    format('grant %%s on %%s to %%s', rights, object, role) as run_this
from lacking
union all
select
    relations.subject,
    relations.relname,
    format('%%s may not read all rows of %%s, which has row-level security', roles.name, relations.subject),
    format('alter role %%s bypassrls', roles.name)
from relations
cross join roles
where relations.relrowsecurity and not roles.sees_all_rows
    and (relations.relforcerowsecurity or not pg_has_role(roles.oid, relations.relowner, 'usage'))
order by subject, failure;
