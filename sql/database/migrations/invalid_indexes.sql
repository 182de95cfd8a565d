-- The invalid indexes of app and analytics: their builds were interrupted, or have not ended.
-- out: schema_name, name
select
    class.relnamespace::regnamespace::text as schema_name,
    class.relname as name
from pg_index as index
inner join pg_class as class on class.oid = index.indexrelid
where not index.indisvalid and class.relnamespace in (to_regnamespace('app'), to_regnamespace('analytics'));
