-- Drops closed_at with its values if 0028_app_indexes added it, and the indexes; each statement on its own.
do $$
begin
    perform set_config('lock_timeout', '5s', true);
    if exists (
        select from pg_attribute
        where attrelid = 'app.conversations'::regclass and attname = 'closed_at'
            and col_description(attrelid, attnum) like '%Added by convo_pipelines.'
    ) then
        alter table app.conversations drop column closed_at;
    end if;
end
$$;

drop index concurrently if exists app.conversations_one_open_per_lead;

drop index concurrently if exists app.conversations_started_at;

drop index concurrently if exists app.conversations_recency;

drop index concurrently if exists app.messages_sent_at;

drop index concurrently if exists app.messages_recency;

drop index concurrently if exists app.projects_conversation_ids;
