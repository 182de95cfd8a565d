-- Gives analytics back to the role that runs this, and drops the roles unless another database still uses them.
do $$
declare
    owned text;
begin
    select string_agg(format('%s owns %s', refobjid::regrole, pg_describe_object(classid, objid, objsubid)), E'\n') into owned
    from pg_shdepend
    where dbid = (select oid from pg_database where datname = current_database()) and deptype = 'o'
        and refclassid = 'pg_authid'::regclass
        and refobjid in (
            to_regrole('convo_analyst')::oid, to_regrole('convo_steward')::oid, to_regrole('convo_observer')::oid
        );
    if owned is not null then
        raise exception 'the roles own objects' using errcode = 'dependent_objects_still_exist', detail = owned;
    end if;
end
$$;

drop trigger convo_pipeline_discovers on app.conversations;
drop function analytics.refuse_undiscovered;
alter default privileges in schema app revoke select on tables from convo_pipeline;
alter default privileges in schema analytics revoke select on tables from convo_analyst;
alter default privileges in schema analytics revoke all on tables from convo_pipeline;
reassign owned by convo_pipeline to current_user;
drop owned by convo_steward, convo_observer, convo_analyst;
drop owned by convo_pipeline;

do $$
declare
    name text;
begin
    foreach name in array array['convo_steward', 'convo_observer', 'convo_analyst', 'convo_pipeline'] loop
        begin
            execute format('drop role %I', name);
        exception when dependent_objects_still_exist then
            raise notice 'role % stays: another database still uses it', name;
        end;
    end loop;
end
$$;
