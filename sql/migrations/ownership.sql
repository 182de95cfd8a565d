-- Where the roles exist, convo_pipeline owns the tables and views of analytics, new ones too, binds foreign
-- keys anew, and reads and writes decisions.
do $$
declare
    relation record;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        for relation in
            select oid::regclass as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
            where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
                and relowner <> 'convo_pipeline'::regrole
        loop
            execute format('alter %s %s owner to convo_pipeline', relation.kind, relation.name);
        end loop;
        if to_regprocedure('analytics.bind_foreign_key(text)') is not null then
            grant execute on function analytics.bind_foreign_key(text) to convo_pipeline;
        end if;
        if to_regclass('curation.participant_decisions') is not null then
            grant usage on schema curation to convo_pipeline;
            grant select, insert, update, delete on curation.participant_decisions to convo_pipeline;
        end if;
    end if;
end
$$;
