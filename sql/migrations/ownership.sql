-- Where the roles exist, convo_pipeline owns the tables and views of analytics, new ones too.
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
    end if;
end
$$;
