-- Raises where a column is missing, or clients are not read.
do $$
begin
    perform client_id, activity_date from analytics.conversation_changes where false;
    perform conversation_id, activity_date, client_id, source, message_count, is_started, is_closed, first_response_seconds
    from analytics.conversation_days where false;
    if not exists (select from analytics.source_tables('clients')) then
        raise exception 'app.clients is not captured';
    end if;
end
$$;
