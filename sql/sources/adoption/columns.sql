-- The tables and views of app.
-- out: a row each: table_name, is_view, columns (jsonb: the type of each, and its collation unless that is the type's)
select
    class.relname::text as table_name,
    class.relkind = 'v' as is_view,
    jsonb_object_agg(
        attribute.attname,
        concat_ws(' collate ', format_type(attribute.atttypid, attribute.atttypmod), quote_ident(own.collname))
    ) as columns
from pg_class as class
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
inner join pg_type as type on type.oid = attribute.atttypid
left join pg_collation as own on own.oid = attribute.attcollation and own.oid <> type.typcollation
where class.relnamespace = to_regnamespace('app') and class.relkind in ('r', 'p', 'v', 'm', 'f')
group by class.oid;
