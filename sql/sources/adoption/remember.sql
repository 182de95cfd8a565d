-- Stores that a view is captured on the table beneath.
-- in:  %(table_name)s, %(view)s (its oid), %(base)s (its oid, or null), %(base_name)s, %(views)s, %(function_name)s
insert into analytics.adopted_views (table_name, view_oid, base_oid, base_name, views, definitions, function_name)
select
    %(table_name)s,
    %(view)s::oid,
    %(base)s::oid,
    %(base_name)s,
    %(views)s::oid[],
    analytics.definitions_of(%(views)s::oid[]),
    %(function_name)s
on conflict (table_name) do update set
    view_oid = excluded.view_oid,
    base_oid = excluded.base_oid,
    base_name = excluded.base_name,
    views = excluded.views,
    definitions = excluded.definitions,
    function_name = excluded.function_name;
