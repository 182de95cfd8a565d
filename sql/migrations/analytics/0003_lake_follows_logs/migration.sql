-- The lake follows the logs of the derived tables, instead of lake_changes. The triggers that wrote this are dropped, and with it
-- the days that the lake has not read. Its next tick creates the others, and writes all days of each table.
insert into analytics.lake_state (table_name, attempted_at)
select distinct
    class.relname,
    now()
from pg_trigger as trigger
inner join pg_class as class on class.oid = trigger.tgrelid
where class.relnamespace = 'analytics'::regnamespace and trigger.tgname like 'convo\_pipelines\_lake\_%'
on conflict (table_name) do nothing;
delete from analytics.lake_state
where not exists (
    select from pg_trigger
    where tgrelid = to_regclass('analytics.' || quote_ident(table_name)) and tgname like 'convo\_pipelines\_lake\_%'
);
update analytics.lake_state set snapshot = null;
alter table analytics.lake_state add column committed pg_snapshot;
alter table analytics.lake_state add column followed_by xid8;

do $$
declare
    found record;
begin
    for found in
        select
            tgname as name,
            tgrelid::regclass as on_table
        from pg_trigger
        where tgname like 'convo\_pipelines\_lake\_%'
        order by tgrelid, tgname
    loop
        execute format('drop trigger %I on %s', found.name, found.on_table);
    end loop;
end
$$;
drop function if exists analytics.log_lake_days();
drop table analytics.lake_changes;

alter table analytics.clients_conversations_changes add column created_at timestamptz;
alter table analytics.conversation_summaries_changes add column started_at timestamptz;
alter table analytics.participant_resolutions_changes add column resolved_at timestamptz;
alter table analytics.people_conversations_changes add column created_at timestamptz;
alter table analytics.project_conversations_changes add column added_at timestamptz;
