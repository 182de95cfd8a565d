-- Missing rights on objects that tables of analytics name. The role that runs ticks (as in needed_rights.sql) needs rights on
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
