create table analytics.adopted_views (
    table_name text primary key,
    view_oid oid not null,
    base_oid oid not null,
    base_name text not null,
    views oid[] not null,
    definitions text not null,
    function_name text not null
);

comment on table analytics.adopted_views is
'Views in app that show the owner''s tables, and are captured on these. `convo-pipelines adopt` writes it.';
comment on column analytics.adopted_views.table_name is 'The view in app.';
comment on column analytics.adopted_views.view_oid is 'The view.';
comment on column analytics.adopted_views.base_oid is 'The table beneath.';
comment on column analytics.adopted_views.base_name is 'The schema and name that it had.';
comment on column analytics.adopted_views.views is 'The view, and the views that it reads.';
comment on column analytics.adopted_views.definitions is 'A hash of their definitions.';
comment on column analytics.adopted_views.function_name is 'The trigger function that logs what the view shows of changed rows.';

-- A hash of the definitions of views.
create function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(pg_get_viewdef(view), ' ' order by view)) from unnest(views) as view
$$;
