-- Views over the owner's tables that a file of views no longer has.
-- in:  %(names)s: those that it has
-- out: a row each: table_name
select class.relname::text as table_name
from analytics.adopted_views as adopted
inner join pg_class as class on class.oid = adopted.view_oid
where class.relnamespace = 'app'::regnamespace
    and class.relname <> all(%(names)s::text[])
    and exists (select from analytics.adopted_tables as beneath where beneath.view_oid = adopted.view_oid);
