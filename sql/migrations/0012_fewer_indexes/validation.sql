-- Raises where one of the indexes that only watermarks read is still kept.
do $$
declare
    kept text;
begin
    select string_agg(relname, ', ') into kept
    from pg_class
    where relnamespace = 'app'::regnamespace and relkind = 'i' and relname in (
        'conversations_updated_at', 'messages_updated_at', 'message_recipients_updated_at', 'people_updated_at',
        'contact_methods_updated_at', 'projects_updated_at'
    );
    if kept is not null then
        raise exception 'no longer needed: %', kept;
    end if;
end
$$;
