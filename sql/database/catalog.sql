-- name: listing
-- Lists the catalog of app, analytics and curation: one row per object, without owners and the rights of roles, and
-- independent of the server's version. Needs an empty search_path, so that every name is qualified.
-- out: object, definition; sorted
with relations as (
    select
        class.oid,
        format('%I.%I', namespace.nspname, class.relname) as name,
        namespace.nspname as schema_name,
        class.relkind,
        class.relpersistence,
        class.relreplident,
        class.reloptions,
        case class.relkind when 'v' then 'view' else 'table' end as kind
    from pg_class as class
    inner join pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname in ('app', 'analytics', 'curation') and class.relkind in ('r', 'p', 'v')
        and class.relname not like 'schema\_migration%'
),

-- Since PostgreSQL 16 a view's definition does not qualify columns if it reads one table: qualifiers are left out, and the
-- columns that the view reads are compared instead.
view_columns as (
    select
        rule.ev_class as oid,
        string_agg(distinct format('%s.%I', depend.refobjid::regclass, attribute.attname), ', ') as names
    from pg_rewrite as rule
    inner join pg_depend as depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
    inner join pg_attribute as attribute
        on attribute.attrelid = depend.refobjid and attribute.attnum = depend.refobjsubid
    where depend.refclassid = 'pg_class'::regclass and depend.refobjsubid > 0 and depend.refobjid <> rule.ev_class
    group by rule.ev_class
),

routines as (
    select
        proc.*,
        format(
            '%I.%I(%s)', proc.pronamespace::regnamespace, proc.proname, pg_get_function_identity_arguments(proc.oid)
        ) as name
    from pg_proc as proc
    where proc.pronamespace in (
        select oid from pg_namespace
        where nspname in ('app', 'analytics', 'curation')
    )
),

objects (object, definition) as (
    select
        'schema ' || nspname,
        ''
    from pg_namespace
    where nspname in ('app', 'analytics', 'curation')
    union all
    select
        'comment on schema ' || nspname,
        obj_description(oid, 'pg_namespace')
    from pg_namespace
    where nspname in ('analytics', 'curation')
    union all
    select
        'table ' || name,
        concat_ws(
            ' ',
            case relpersistence when 'u' then 'unlogged' end,
            case relreplident when 'f' then 'replica identity full' end,
            array_to_string(reloptions, ' ')
        )
    from relations
    where kind = 'table'
    union all
    select
        'view ' || relations.name,
        concat_ws(
            ' ',
            md5(
                replace(
                    regexp_replace(
                        regexp_replace(pg_get_viewdef(relations.oid), '\s+', ' ', 'g'),
                        '\m(?!(app|analytics|curation)\.)[a-z_]+\.(?=[a-z_])', '', 'g'
                    ),
                    '::text AS text', '::text'
                )
            ),
            md5(view_columns.names)
        )
    from relations
    left join view_columns on view_columns.oid = relations.oid
    where relations.kind = 'view'
    union all
    select
        format('comment on %s %s', kind, name),
        obj_description(oid, 'pg_class')
    from relations
    union all
    select
        format('column %s.%I', relations.name, attribute.attname),
        concat_ws(
            ' ',
            format_type(attribute.atttypid, attribute.atttypmod),
            case when attribute.attnotnull then 'not null' end,
            case when attribute.attidentity <> '' then 'identity ' || attribute.attidentity::text end,
            'default ' || pg_get_expr(attrdef.adbin, attrdef.adrelid)
        )
    from relations
    inner join pg_attribute as attribute
        on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
    left join pg_attrdef as attrdef on attrdef.adrelid = attribute.attrelid and attrdef.adnum = attribute.attnum
    union all
    select
        format('comment on column %s.%I', relations.name, attribute.attname),
        col_description(relations.oid, attribute.attnum)
    from relations
    inner join pg_attribute as attribute
        on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
    union all
    select
        format('constraint %I on %s', con.conname, relations.name),
        pg_get_constraintdef(con.oid)
    from relations
    inner join pg_constraint as con on con.conrelid = relations.oid and con.contype in ('p', 'u', 'f', 'c', 'x')
    union all
    select
        format('index %I.%I', relations.schema_name, class.relname),
        pg_get_indexdef(index.indexrelid) || case when index.indisvalid then '' else ' invalid' end
    from relations
    inner join pg_index as index on index.indrelid = relations.oid
    inner join pg_class as class on class.oid = index.indexrelid
    where not exists (
        select from pg_constraint
        where conindid = index.indexrelid and contype in ('p', 'u', 'x')
    )
    union all
    select
        format('trigger %I on %s', trigger.tgname, relations.name),
        pg_get_triggerdef(trigger.oid)
        || case when trigger.tgenabled = 'O' then '' else ' enabled ' || trigger.tgenabled::text end
    from relations
    inner join pg_trigger as trigger on trigger.tgrelid = relations.oid and not trigger.tgisinternal
    where relations.schema_name <> 'app' or trigger.tgname not like 'convo\_pipelines\_%'
    union all
    select
        'function ' || name,
        concat_ws(
            ' ',
            pg_get_function_arguments(oid),
            'returns',
            pg_get_function_result(oid),
            'volatility',
            provolatile,
            'parallel',
            proparallel,
            case when prosecdef then 'security definer' end,
            case when proisstrict then 'strict' end,
            array_to_string(proconfig, ' '),
            case
                when exists (
                    select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as grants
                    where grants.grantee = 0
                ) then 'public'
            end,
            md5(regexp_replace(coalesce(pg_get_function_sqlbody(oid), prosrc), '\s+', ' ', 'g'))
        )
    from routines
    union all
    select
        'comment on function ' || name,
        obj_description(oid, 'pg_proc')
    from routines
)

select
    object,
    definition
from objects
where definition is not null
order by object collate "C";


-- name: unwanted_foreign_keys
-- Foreign keys that the database does without: by choice, or because the table that they refer to can have none.
-- out: object, as the listing names it
select format('constraint %I on analytics.%I', name, child) as object
from analytics.foreign_keys()
where not is_wanted;


-- name: app_indexes
-- Missing indexes of app, which backfills and recency queries need, and indexes of earlier versions that no query uses.
-- out: failure
select format('no valid index leads with %s.%s: run `%s`', table_name, column_name, run_this) as failure
from analytics.missing_app_indexes
union all
select format('nothing reads by index app.%I any more: drop it', class.relname)
from pg_class as class
where class.relnamespace = to_regnamespace('app') and class.relkind = 'i' and class.relname in (
    'conversations_updated_at', 'messages_updated_at', 'message_recipients_updated_at', 'people_updated_at',
    'contact_methods_updated_at', 'projects_updated_at'
)
order by failure;


-- name: lifecycle
-- Tests on copies of the tables, with their indexes, that a lead has at most one open conversation, and that recency queries
-- are served by an index in its order. Not run if app consists of views.
do $$
declare
    lead uuid := gen_random_uuid();
    query text;
    line text;
    plan text;
begin
    if exists (select from pg_class where relnamespace = 'app'::regnamespace and relname = 'conversations' and relkind = 'v') then
        return;
    end if;
    create temporary table pg_temp.conversation_copy (like app.conversations including all) on commit drop;

    insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
    begin
        insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
        raise exception 'a second open conversation of a lead is not refused';
    exception when unique_violation then null;
    end;
    update pg_temp.conversation_copy set closed_at = now() where lead_id = lead;
    insert into pg_temp.conversation_copy (channel, lead_id) values ('email', lead);
    insert into pg_temp.conversation_copy (channel, lead_id, closed_at) values ('email', lead, now()), ('email', lead, now());

    perform set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
    foreach query in array array[
        'select * from app.messages where conversation_id = gen_random_uuid() order by created_at desc limit 50',
        'select * from app.conversations where customer_id = gen_random_uuid() order by started_at desc limit 50'
    ] loop
        query := replace(query, 'gen_random_uuid()', quote_literal(lead));
        plan := '';
        for line in execute 'explain (costs off) ' || query loop
            plan := plan || line || E'\n';
        end loop;
        if plan ~ 'Sort' or plan !~ 'Index Cond: \((customer|conversation)_id =' then
            raise exception 'no index serves: %', query using detail = plan;
        end if;
    end loop;
end
$$;


-- name: rights
-- Rights that a role lacks, or has but should not.
-- out: failure
with rights (role, deed, is_granted, is_wanted) as (
    values
    (
        'convo_pipeline', 'own analytics',
        pg_has_role('convo_pipeline', (select nspowner from pg_namespace where nspname = 'analytics'), 'member'), true
    ),
    ('convo_pipeline', 'read app.messages', has_table_privilege('convo_pipeline', 'app.messages', 'select'), true),
    (
        'convo_pipeline', 'insert app.conversations.crew_id',
        has_column_privilege('convo_pipeline', 'app.conversations', 'crew_id', 'insert'), true
    ),
    (
        'convo_pipeline', 'change app.conversations',
        has_table_privilege('convo_pipeline', 'app.conversations', 'update, delete'), false
    ),
    (
        'convo_pipeline', 'capture tables',
        has_function_privilege('convo_pipeline', 'analytics.capture(regclass)', 'execute')
        and has_function_privilege('convo_pipeline', 'analytics.release(regclass)', 'execute'), true
    ),
    (
        'convo_pipeline', 'lock rows of the application',
        has_function_privilege('convo_pipeline', 'analytics.lock_parents(text, uuid[])', 'execute'), true
    ),
    (
        'convo_analyst', 'write analytics.people_conversations',
        has_table_privilege('convo_analyst', 'analytics.people_conversations', 'insert, update, delete'), false
    ),
    ('convo_analyst', 'see schema app', has_schema_privilege('convo_analyst', 'app', 'usage'), false),
    ('convo_observer', 'see schema app', has_schema_privilege('convo_observer', 'app', 'usage'), false),
    (
        'convo_steward', 'decide',
        has_column_privilege('convo_steward', 'curation.participant_decisions', 'contact_method_id', 'insert'), true
    ),
    (
        'convo_steward', 'revoke',
        has_column_privilege('convo_steward', 'curation.participant_decisions', 'revoked_at', 'update'), true
    ),
    (
        'convo_steward', 'delete decisions',
        has_table_privilege('convo_steward', 'curation.participant_decisions', 'delete'), false
    ),
    ('convo_steward', 'read names', has_table_privilege('convo_steward', 'analytics.person_names', 'select'), true)
),

relations as (
    select
        oid,
        relname,
        oid::regclass as name,
        coalesce(obj_description(oid, 'pg_class'), '') ~ '(Internal|Personal data)\.$' as is_hidden
    from pg_class
    where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
)

select format('%s %s %s', role, case when is_granted then 'may' else 'may not' end, deed) as failure
from rights
where is_granted <> is_wanted
union all
select format('convo_analyst may not read %s: run `convo-pipelines migrate up`', name)
from relations
where not has_table_privilege('convo_analyst', oid, 'select')
union all
select format(
    'convo_observer %s read %s: run `convo-pipelines migrate up`', case when is_hidden then 'may' else 'may not' end, name
)
from relations
where has_any_column_privilege('convo_observer', oid, 'select') = is_hidden and relname not like 'schema\_migration%'
union all
select format('convo_observer may read %s.%I', relations.name, attribute.attname)
from relations
inner join pg_attribute as attribute
    on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
where not relations.is_hidden
    and col_description(relations.oid, attribute.attnum) like '%ersonal data.'
    and has_column_privilege('convo_observer', relations.oid, attribute.attnum, 'select')
order by failure;


-- name: needed_rights
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


-- name: known_rights
-- Missing rights on objects that tables of analytics name. The role that runs ticks (as in needed_rights) needs rights on
-- histories tables, on the conversations that crews create, and on schemas beneath views. The owner of a view of app needs them
-- on what the view reads.
-- in:  %(inserted)s: the columns of app.conversations that crews' conversations are given; none: they create none
-- out: a row per object and role: subject (the object), name (the object, without its schema), failure, run_this
with recursive roles as (
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

sources as (
    select
        class.oid,
        class.relname,
        class.relowner,
        class.relkind,
        class.relrowsecurity,
        class.relforcerowsecurity,
        format('%%I.%%I', schema.nspname, class.relname) as subject,
        state.table_name in (select histories_table_name from analytics.crew_discovery_state where is_discovered) as is_histories
    from analytics.capture_state as state
    inner join pg_class as class  -- of a restored database, the oid may be that of anything
        on class.oid = state.table_oid and class.relname = state.table_name
    inner join pg_namespace as schema on schema.oid = class.relnamespace
),

views (oid) as (
    select oid from sources
    where relkind = 'v'
    union
    select depend.refobjid
    from views
    inner join pg_rewrite as rule on rule.ev_class = views.oid
    inner join pg_depend as depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
    inner join pg_class as class on class.oid = depend.refobjid and class.relkind = 'v'
    where depend.refclassid = 'pg_class'::regclass and depend.deptype = 'n'
),

read as (  -- a view reads by the rights of its owner, or of who reads it
    select distinct
        beneath.oid,
        beneath.relname,
        beneath.relrowsecurity,
        beneath.relforcerowsecurity,
        beneath.relowner,
        format('%%I.%%I', schema.nspname, beneath.relname) as subject,
        reader.oid as role,
        reader.name,
        reader.sees_all_rows
    from views
    inner join pg_class as view on view.oid = views.oid
    inner join pg_rewrite as rule on rule.ev_class = views.oid
    inner join pg_depend as depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
    inner join pg_class as beneath on beneath.oid = depend.refobjid and beneath.oid <> view.oid
    inner join pg_namespace as schema on schema.oid = beneath.relnamespace
    cross join lateral (
        select
            oid,
            name,
            sees_all_rows
        from roles
        where view.reloptions @> array['security_invoker=true']
        union all
        select
            owner.oid,
            quote_ident(owner.rolname),
            owner.rolsuper or owner.rolbypassrls
        from pg_roles as owner
        where owner.oid = view.relowner and not coalesce(view.reloptions, array[]::text[]) @> array['security_invoker=true']
    ) as reader
    where depend.refclassid = 'pg_class'::regclass and depend.deptype = 'n' and beneath.relkind in ('r', 'p', 'v', 'm', 'f')
    union all
    select
        sources.oid,
        sources.relname,
        sources.relrowsecurity,
        sources.relforcerowsecurity,
        sources.relowner,
        sources.subject,
        roles.oid,
        roles.name,
        roles.sees_all_rows
    from sources
    cross join roles
    where sources.is_histories
)

select
    subject,
    relname as name,
    format('%%s may not select %%s', name, subject) as failure,
    format('grant select on %%s to %%s', subject, name) as run_this
from read
where not has_table_privilege(role, oid, 'select')
union all
select
    subject,
    relname,
    format('%%s may not read all rows of %%s, which has row-level security', name, subject),
    format('alter role %%s bypassrls', name)
from read
where relrowsecurity and not sees_all_rows and (relforcerowsecurity or not pg_has_role(role, relowner, 'usage'))
union all
select
    conversations.subject,
    conversations.relname,
    format(
        '%%s may not insert (%%s) into %%s',
        roles.name,
        string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum),
        conversations.subject
    ),
    format(
        'grant insert (%%s) on %%s to %%s',
        string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum),
        conversations.subject,
        roles.name
    )
from sources as conversations
inner join pg_attribute as attribute
    on attribute.attrelid = conversations.oid and attribute.attname = any(%(inserted)s::text[])
cross join roles
where conversations.subject = 'app.conversations'
    and (conversations.relkind in ('r', 'p') or pg_relation_is_updatable(conversations.oid, true) & 8 = 8)
    and exists (select from analytics.crew_discovery_state where is_discovered)
    and not has_column_privilege(roles.oid, conversations.oid, attribute.attnum, 'insert')
group by conversations.subject, conversations.relname, roles.name
union all
select distinct
    quote_ident(schema.nspname),
    schema.nspname,
    format('%%s may not use schema %%I', roles.name, schema.nspname),
    format('grant usage on schema %%I to %%s', schema.nspname, roles.name)
from analytics.adopted_tables as beneath
inner join pg_class as class on class.oid = beneath.table_oid
inner join pg_namespace as schema on schema.oid = class.relnamespace
cross join roles
where not has_schema_privilege(roles.oid, schema.oid, 'usage')
order by subject, failure;


-- name: log_rights
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
