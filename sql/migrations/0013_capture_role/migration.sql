-- convo_pipeline puts the triggers on what it reads, through functions of whoever owns the application's tables.
do $$
begin
    if to_regprocedure('analytics.capture(regclass)') is null then
        raise exception 'analytics.capture is missing: run `convo-pipelines migrate up --only analytics` first';
    end if;
end
$$;

grant execute on function analytics.capture(regclass), analytics.release(regclass) to convo_pipeline;
