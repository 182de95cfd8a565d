-- The logs lose the columns by which rows of a view are looked up. What is not looked up yet is everything of its source. The
-- triggers on tables beside the rows of adopted views are dropped: these views have to be installed again.
do $$
declare
    found record;
begin
    set local lock_timeout = '50 ms';  -- a dozen waits in less than deadlock_timeout
    for found in
        select
            trigger.tgname as name,
            trigger.tgrelid::regclass as on_table
        from pg_trigger as trigger
        inner join pg_proc as function on function.oid = trigger.tgfoid
        where function.pronamespace = 'analytics'::regnamespace
            and trigger.tgname like 'convo\_pipelines\_%'
            and trigger.tgparentid = 0
            and function.prosrc like '%beneath\_values%'
        order by trigger.tgrelid, trigger.tgname
    loop
        execute format('drop trigger %I on %s', found.name, found.on_table);
    end loop;
end
$$;
update analytics.adopted_views set definitions = ''
where view_oid in (select view_oid from analytics.adopted_tables where number > 0);
drop view if exists
    analytics.changed_clients,
    analytics.changed_crews,
    analytics.changed_people,
    analytics.changed_contact_methods,
    analytics.changed_conversations,
    analytics.changed_messages,
    analytics.changed_message_recipients,
    analytics.changed_projects,
    analytics.changed_users;
drop function if exists analytics.looked_up(text, text[]);
update analytics.clients_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.clients_changes drop column beneath, drop column beneath_values;
update analytics.crews_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.crews_changes drop column beneath, drop column beneath_values;
update analytics.people_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.people_changes drop column beneath, drop column beneath_values;
update analytics.contact_methods_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.contact_methods_changes drop column beneath, drop column beneath_values;
update analytics.conversations_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.conversations_changes drop column beneath, drop column beneath_values;
update analytics.messages_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.messages_changes drop column beneath, drop column beneath_values;
update analytics.message_recipients_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.message_recipients_changes drop column beneath, drop column beneath_values;
update analytics.projects_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.projects_changes drop column beneath, drop column beneath_values;
update analytics.users_changes set operation = 'everything' where operation = 'beneath';
alter table analytics.users_changes drop column beneath, drop column beneath_values;
