-- Stores that a view is captured on the tables beneath, and forgets those that it no longer reads.
-- in:  %(table_name)s, %(view)s (its oid), %(views)s; %(oids)s, %(names)s, %(functions)s: table by table, that of its rows first
with adopted as (
    insert into analytics.adopted_views (view_oid, table_name, views, definitions)
    values (%(view)s::oid, %(table_name)s, %(views)s::oid[], analytics.definitions_of(%(views)s::oid[]))
    on conflict (view_oid) do update set
        table_name = excluded.table_name,
        views = excluded.views,
        definitions = excluded.definitions
    returning view_oid
),

forgotten as (
    delete from analytics.adopted_tables
    where view_oid = %(view)s::oid and number >= cardinality(%(oids)s::oid[])
)

insert into analytics.adopted_tables (view_oid, number, table_oid, known_name, function_name)
select
    adopted.view_oid,
    beneath.number - 1,
    beneath.oid,
    beneath.name,
    beneath.function_name
from adopted
cross join unnest(%(oids)s::oid[], %(names)s::text[], %(functions)s::text[])
    with ordinality as beneath (oid, name, function_name, number)
on conflict (view_oid, number) do update set
    table_oid = excluded.table_oid,
    known_name = excluded.known_name,
    function_name = excluded.function_name;
