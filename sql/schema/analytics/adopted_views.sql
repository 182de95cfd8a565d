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
comment on column analytics.adopted_tables.number is '0: the table whose rows it shows; others: tables that are joined to it.';
comment on column analytics.adopted_tables.table_oid is 'The table.';
comment on column analytics.adopted_tables.known_name is 'Its schema and name, quoted, when the view was adopted.';
comment on column analytics.adopted_tables.function_name is
'The trigger function: it logs what the view shows of changed rows, or everything if columns that the view reads of a joined '
'table change.';

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

-- A hash of the definitions of views, and of the functions that they call.
create function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(definition, ' ' order by object)) from (
        select view as object, pg_get_viewdef(view) as definition from unnest(views) as view
        union
        select function.oid, concat(function.provolatile, function.prosrc, function.prosqlbody::text, function.probin)
        from pg_rewrite as rule
        inner join pg_depend as depend
            on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid and depend.refclassid = 'pg_proc'::regclass
        inner join pg_proc as function on function.oid = depend.refobjid
        where rule.ev_class = any(views)
    ) as definitions
$$;
