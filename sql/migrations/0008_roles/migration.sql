-- Two roles: convo_pipeline owns analytics, reads app and writes only the conversations it discovers;
-- convo_analyst reads analytics. They have no password: give them one, or grant them to roles that log in.
do $$
declare
    relation record;
begin
    if to_regrole('convo_pipeline') is null then
        create role convo_pipeline login;
    end if;
    if to_regrole('convo_analyst') is null then
        create role convo_analyst login;
    end if;
    execute format('grant convo_pipeline to %I', current_user);
    execute format('grant connect, temporary on database %I to convo_pipeline, convo_analyst', current_database());

    alter schema analytics owner to convo_pipeline;
    for relation in
        select oid::regclass as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
        where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
    loop
        execute format('alter %s %s owner to convo_pipeline', relation.kind, relation.name);
    end loop;
end
$$;

grant usage on schema app to convo_pipeline;
grant select on all tables in schema app to convo_pipeline;
alter default privileges in schema app grant select on tables to convo_pipeline;
grant insert (id, channel, external_id, client_id, crew_id, session_id, started_at)
on app.conversations to convo_pipeline;

create function analytics.refuse_undiscovered() returns trigger
language plpgsql as $$
begin
    raise exception 'convo_pipeline may only insert conversations of crews'' sessions'
    using errcode = 'insufficient_privilege';
end
$$;
alter function analytics.refuse_undiscovered owner to convo_pipeline;
create trigger convo_pipeline_discovers before insert on app.conversations
for each row
when (current_user = 'convo_pipeline' and (new.channel <> 'crew' or new.crew_id is null or new.session_id is null))
execute function analytics.refuse_undiscovered();

grant usage on schema analytics to convo_analyst;
grant select on all tables in schema analytics to convo_analyst;
alter default privileges for role convo_pipeline in schema analytics grant select on tables to convo_analyst;
alter default privileges in schema analytics grant select on tables to convo_analyst;  -- of later migrations
alter default privileges in schema analytics grant all on tables to convo_pipeline;
