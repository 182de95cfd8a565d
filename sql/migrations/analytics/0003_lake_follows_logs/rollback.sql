-- The lake has triggers of its own again, which its next tick creates: it writes all days of each table. What follows links of
-- people reads all of them: the version before creates the triggers of these again.
do $$
declare
    found record;
begin
    for found in
        select
            trigger.tgname as name,
            trigger.tgrelid::regclass as on_table
        from pg_trigger as trigger
        inner join pg_class as class on class.oid = trigger.tgrelid
        where class.relnamespace = 'analytics'::regnamespace
            and trigger.tgname in (
                'convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete', 'convo_pipelines_truncate'
            )
        order by trigger.tgrelid, trigger.tgname
    loop
        execute format('drop trigger %I on %s', found.name, found.on_table);
    end loop;
end
$$;
insert into analytics.people_conversations_changes (operation) values ('everything');

create table analytics.lake_changes (
    table_name text not null,
    day date,
    xid xid8 not null default pg_current_xact_id()
) with (vacuum_truncate = off);
create index lake_changes_table_name on analytics.lake_changes (table_name, xid);
alter table analytics.lake_changes replica identity full;

update analytics.lake_state set snapshot = null;
alter table analytics.lake_state drop column followed_by;
alter table analytics.lake_state drop column committed;

alter table analytics.clients_conversations_changes drop column created_at;
alter table analytics.conversation_summaries_changes drop column started_at;
alter table analytics.participant_resolutions_changes drop column resolved_at;
alter table analytics.people_conversations_changes drop column created_at;
alter table analytics.project_conversations_changes drop column added_at;
