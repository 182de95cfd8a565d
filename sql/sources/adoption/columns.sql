-- The tables and views of app.
-- out: a row each: table_name, columns (jsonb: the type of each)
select
    class.relname::text as table_name,
    jsonb_object_agg(attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)) as columns
from pg_class as class
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
where class.relnamespace = to_regnamespace('app') and class.relkind in ('r', 'p', 'v', 'm', 'f')
group by class.oid;
