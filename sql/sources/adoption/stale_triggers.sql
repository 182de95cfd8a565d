-- Triggers of ours, on tables beneath views, that are no longer wanted. Either the view no longer reads the table, or it had
-- another oid before the database was restored.
-- out: a row per trigger: table_oid, schema_name, relation_name, trigger_name; of partitions after their parents
select
    trigger.tgrelid as table_oid,
    trigger.tgrelid as table_oid,
    namespace.nspname::text as schema_name,
    class.relname::text as relation_name,
    trigger.tgname::text as trigger_name
from pg_trigger as trigger
inner join pg_class as class on class.oid = trigger.tgrelid
inner join pg_namespace as namespace on namespace.oid = class.relnamespace
inner join pg_proc as function on function.oid = trigger.tgfoid
where trigger.tgparentid = 0
    and trigger.tgname like 'convo\_pipelines\_%%'
    and function.pronamespace = 'analytics'::regnamespace
    and function.proname like 'log\_view\_%%'
    and not exists (
        select from analytics.adopted_tables as beneath
        where beneath.function_name = function.proname
            and trigger.tgrelid in (select member from analytics.members_of(beneath.table_oid) as member)
    )
order by class.relispartition, trigger.tgrelid, trigger.tgname;
