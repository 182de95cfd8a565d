-- The tables with capture triggers.
-- out: a row per table: schema_name, name, triggers
select
    schema.nspname as schema_name,
    class.relname as name,
    array_agg(trigger.tgname::text order by trigger.tgname) as triggers
from pg_trigger as trigger
inner join pg_class as class on class.oid = trigger.tgrelid
inner join pg_namespace as schema on schema.oid = class.relnamespace
where trigger.tgname like 'convo\_pipelines\_%%' and not trigger.tgisinternal and trigger.tgparentid = 0
group by class.oid, schema.nspname
order by class.oid;
