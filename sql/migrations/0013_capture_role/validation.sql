-- Raises where convo_pipeline may not capture, or anybody may.
do $$
begin
    if not has_function_privilege('convo_pipeline', 'analytics.capture(regclass)', 'execute') then
        raise exception 'convo_pipeline may not execute analytics.capture';
    end if;
    if has_function_privilege('convo_analyst', 'analytics.capture(regclass)', 'execute') then
        raise exception 'convo_analyst may execute analytics.capture';
    end if;
end
$$;
