-- Drops the indexes that 0007 created, and closed_at with what it holds if 0007 added it; each statement on its own.
drop index concurrently if exists app.conversations_recency;

drop index concurrently if exists app.messages_recency;

drop index concurrently if exists app.conversations_one_open_per_lead;

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
