create table analytics.adopted_views (
    table_name text primary key,
    view_oid oid not null,
    base_oid oid,
    base_name text,
    views oid[] not null,
    definitions text not null,
    function_name text,
    check ((base_oid is null) = (function_name is null) and (base_oid is null) = (base_name is null))
);

comment on table analytics.adopted_views is
'Views in app that show the owner''s tables, and are captured on these. `convo-pipelines adopt` writes it. Internal.';
comment on column analytics.adopted_views.table_name is 'The view in app.';
comment on column analytics.adopted_views.view_oid is 'Its oid.';
comment on column analytics.adopted_views.base_oid is 'The table beneath; null: there is none, the view shows constants.';
comment on column analytics.adopted_views.base_name is 'The schema and name that it had.';
comment on column analytics.adopted_views.views is 'The oids of the view, and of the views that it reads.';
comment on column analytics.adopted_views.definitions is 'A hash of their definitions.';
comment on column analytics.adopted_views.function_name is 'The trigger function that logs what the view shows of changed rows.';
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

-- A hash of the definitions of views.
create function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(pg_get_viewdef(view), ' ' order by view)) from unnest(views) as view
$$;
