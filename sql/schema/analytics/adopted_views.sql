create table analytics.adopted_views (
    view_oid oid primary key,
    table_name text not null,
    views oid[] not null,
    definitions text not null
);

comment on table analytics.adopted_views is
'Views in app that show the owner''s tables, and are captured on these. `convo-pipelines adopt` writes it. Internal.';
comment on column analytics.adopted_views.view_oid is 'The view.';
comment on column analytics.adopted_views.table_name is 'Its name in app.';
comment on column analytics.adopted_views.views is 'The view, and the views that it reads.';
comment on column analytics.adopted_views.definitions is 'A hash of their definitions.';

create table analytics.adopted_tables (
    view_oid oid not null references analytics.adopted_views on delete cascade,
    number int not null,
    table_oid oid not null,
    known_name text not null,
    function_name text not null,
    primary key (view_oid, number)
);

comment on table analytics.adopted_tables is 'The tables beneath adopted views. Internal.';
comment on column analytics.adopted_tables.view_oid is 'The view.';
comment on column analytics.adopted_tables.number is
'0: the table that decides its rows; then others that do, and those that it reads beside them.';
comment on column analytics.adopted_tables.table_oid is 'The table.';
comment on column analytics.adopted_tables.known_name is 'Its schema and name, quoted, when the view was adopted.';
comment on column analytics.adopted_tables.function_name is
'The trigger function: it logs what the view shows of changed rows; of a table beside, what leads to rows of the view, or '
'everything.';

create table analytics.released_views (
    number int primary key,
    table_name text not null,
    statements text not null
);

comment on table analytics.released_views is
'Views in app that `convo-pipelines adopt release` dropped, so that the tables beneath can be altered; '
'`convo-pipelines adopt restore` makes them again. Internal.';
comment on column analytics.released_views.number is 'The order in which they are made.';
comment on column analytics.released_views.table_name is 'The view in app.';
comment on column analytics.released_views.statements is 'What makes it, its comment, its owner and the rights on it.';

-- The functions and operators that views call, and that these call, as far as PostgreSQL knows; and whatever has a name, or a
-- symbol, that stands in the text of such a function.
create or replace function analytics.called_by(views oid[]) returns table (kind oid, oid oid)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive called (kind, oid) as (
        select 'pg_rewrite'::regclass::oid, rule.oid from pg_rewrite as rule
        where rule.ev_class = any(views)
        union
        select found.kind, found.oid
        from called
        cross join lateral (
            select depend.refclassid, depend.refobjid from pg_depend as depend
            where depend.classid = called.kind and depend.objid = called.oid
                and depend.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
            union all
            select named.kind, named.oid
            from pg_proc as function
            inner join pg_language as language on language.oid = function.prolang and language.lanname not in ('internal', 'c')
            cross join lateral (
                select
                    lower(function.prosrc) as source,
                    regexp_split_to_array(lower(function.prosrc), concat('[^a-z0-9_$', chr(128), '-', chr(1114111), ']+')) as words,
                    regexp_split_to_array(function.prosrc, '[^-+*/<>=~!@#%^&|`?]+') as symbols
            ) as text
            cross join lateral (
                select 'pg_proc'::regclass::oid as kind, other.oid from pg_proc as other
                where other.oid >= 16384 and other.pronamespace <> to_regnamespace('analytics') and (
                    lower(other.proname) = any(text.words)
                    or other.proname ~ '[^a-zA-Z0-9_$]' and strpos(text.source, lower(other.proname)) > 0
                )
                union all
                select 'pg_operator'::regclass, operator.oid from pg_operator as operator
                where operator.oid >= 16384 and operator.oprname = any(text.symbols)
            ) as named
            where called.kind = 'pg_proc'::regclass and function.oid = called.oid and function.prosqlbody is null
                and function.pronamespace <> to_regnamespace('analytics')
        ) as found (kind, oid)
    )
    select called.kind, called.oid from called
    where called.kind <> 'pg_rewrite'::regclass
$$;

-- A hash of the definitions of views, and of the functions that they call, directly or not.
create or replace function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(definition, ' ' order by object)) from (
        select view as object, pg_get_viewdef(view) as definition from unnest(views) as view
        union
        select
            function.oid,
            concat(
                function.provolatile, function.prosrc, function.prosqlbody::text, function.probin, function.proconfig::text,
                case when function.proisstrict and function.pronamespace <> to_regnamespace('analytics') then 'strict' end
            )
        from analytics.called_by(views) as called
        inner join pg_proc as function on function.oid = called.oid and called.kind = 'pg_proc'::regclass
    ) as definitions
$$;
