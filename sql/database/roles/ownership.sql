-- If the roles exist, convo_pipeline owns the tables and views of analytics, new ones too, and the functions that write the
-- logs. The owner of analytics.capture() may create triggers that call these. convo_pipeline binds foreign keys again, and reads
-- and writes decisions and assignments to projects. Stewards also decide on identifiers.
do $$
declare
    relation record;
    given text;
    log_function regprocedure;
    installer regrole := (select proowner from pg_proc where oid = to_regprocedure('analytics.capture(regclass)'));
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        select string_agg(oid::regclass::text, ', ') into given from pg_class
        where relnamespace = 'analytics'::regnamespace and relkind = 'r' and relowner <> 'convo_pipeline'::regrole;
        if given is not null then
            execute format('lock table %s in access exclusive mode nowait', given);
        end if;
        for relation in
            select oid::regclass as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
            where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
                and relowner <> 'convo_pipeline'::regrole
        loop
            execute format('alter %s %s owner to convo_pipeline', relation.kind, relation.name);
        end loop;
        grant execute on function
            analytics.bind_foreign_key(text), analytics.capture(regclass), analytics.capture_tables(regclass[]),
            analytics.lock_parents(text, uuid[]), analytics.release(regclass)
        to convo_pipeline;
        execute format('grant usage on schema analytics to %s', installer);
        for log_function in
            select oid from pg_proc
            where pronamespace = 'analytics'::regnamespace and proname like 'log\_%' and prorettype = 'trigger'::regtype
        loop
            execute format('alter function %s owner to convo_pipeline', log_function);
            execute format('grant execute on function %s to %s', log_function, installer);
        end loop;
        if to_regclass('curation.participant_decisions') is not null then
            grant usage on schema curation to convo_pipeline;
            grant select, insert, update, delete on curation.participant_decisions to convo_pipeline;
        end if;
        if to_regclass('curation.project_assignments') is not null then
            grant select, insert, delete on curation.project_assignments to convo_pipeline;
            grant insert (identifier) on curation.participant_decisions to convo_steward;
        end if;
    end if;
end
$$;
