-- convo_pipeline locks the rows that its rows refer to through a function of whoever owns the application's tables.
do $$
begin
    if to_regprocedure('analytics.lock_parents(text, uuid[])') is null then
        raise exception 'analytics.lock_parents is missing: run `convo-pipelines migrate up --only analytics` first';
    end if;
end
$$;

grant execute on function analytics.lock_parents(text, uuid[]) to convo_pipeline;
