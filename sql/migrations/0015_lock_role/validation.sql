-- Raises where convo_pipeline may not lock the application's rows, or anybody may.
do $$
begin
    if not has_function_privilege('convo_pipeline', 'analytics.lock_parents(text, uuid[])', 'execute') then
        raise exception 'convo_pipeline may not execute analytics.lock_parents';
    end if;
    if has_function_privilege('convo_analyst', 'analytics.lock_parents(text, uuid[])', 'execute') then
        raise exception 'convo_analyst may execute analytics.lock_parents';
    end if;
end
$$;
