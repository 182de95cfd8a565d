-- Four roles, without a password: give them one, or grant them to roles that log in. convo_pipeline owns analytics, reads app and
-- writes only the conversations it discovers. convo_analyst reads analytics. convo_steward decides who contact methods belong to,
-- and reads what analysts read. convo_observer reads analytics without what identifies a person.
-- After it, as after every migration: sql/migrations/ownership.sql and sql/migrations/grants.sql.
do $$
declare
    name text;
begin
    if to_regclass('curation.participant_decisions') is null or to_regclass('analytics.person_names') is null then
        raise exception 'the roles need the schema analytics: run `convo-pipelines migrate up --only analytics` first';
    end if;
    foreach name in array array['convo_pipeline', 'convo_analyst', 'convo_steward', 'convo_observer'] loop
        if to_regrole(name) is null then
            execute format('create role %I login', name);
        end if;
        execute format('grant connect, temporary on database %I to %I', current_database(), name);
    end loop;
    execute format('grant convo_pipeline to %I', current_user);
    alter schema analytics owner to convo_pipeline;
end
$$;

grant usage on schema app to convo_pipeline;
grant select on all tables in schema app to convo_pipeline;
alter default privileges in schema app grant select on tables to convo_pipeline;
grant insert (id, channel, external_id, client_id, crew_id, session_id, started_at)
on app.conversations to convo_pipeline;

create or replace function analytics.refuse_undiscovered() returns trigger
language plpgsql
as $$
begin
    raise exception 'convo_pipeline may only insert conversations of crews'' sessions'
    using errcode = 'insufficient_privilege';
end
$$;
alter function analytics.refuse_undiscovered owner to convo_pipeline;
create or replace trigger convo_pipeline_discovers before insert on app.conversations
for each row
when (current_user = 'convo_pipeline' and (new.channel <> 'crew' or new.crew_id is null or new.session_id is null))
execute function analytics.refuse_undiscovered();

alter default privileges for role convo_pipeline in schema analytics grant select on tables to convo_analyst;
alter default privileges in schema analytics grant select on tables to convo_analyst;
alter default privileges in schema analytics grant all on tables to convo_pipeline;

grant usage on schema curation to convo_steward;
grant convo_analyst to convo_steward;
grant select, insert (contact_method_id, person_id, decision, reason, decided_by), update (revoked_at, revoked_by)
on curation.participant_decisions to convo_steward;
