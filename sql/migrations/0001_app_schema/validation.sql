-- Raises where a table or column of `app` that the pipeline reads is missing.
do $$
declare
    missing text;
begin
    select string_agg(wanted, ', ') into missing
    from unnest(array[
        'clients.client_code', 'crews.client_id', 'crews.crew_code', 'crews.histories_table_name', 'crews.is_active',
        'people.client_id', 'people.email', 'people.phone', 'people.linkedin_urn',
        'contact_methods.person_id', 'contact_methods.kind', 'contact_methods.value',
        'conversations.channel', 'conversations.client_id', 'conversations.crew_id', 'conversations.session_id',
        'conversations.project_id', 'conversations.started_at', 'conversations.updated_at',
        'messages.conversation_id', 'messages.direction', 'messages.sent_at', 'messages.updated_at',
        'message_recipients.message_id', 'message_recipients.contact_method_id', 'message_recipients.updated_at',
        'projects.user_id'
    ]) as wanted
    where not exists (
        select from information_schema.columns
        where table_schema = 'app' and table_name || '.' || column_name = wanted
    );
    if missing is not null then
        raise exception 'schema app lacks %', missing;
    end if;
end
$$;
