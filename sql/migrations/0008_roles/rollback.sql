-- Gives analytics back to whoever runs this, and drops the roles unless another database still uses them.
drop trigger convo_pipeline_discovers on app.conversations;
drop function analytics.refuse_undiscovered;
alter default privileges in schema app revoke select on tables from convo_pipeline;
alter default privileges in schema analytics revoke select on tables from convo_analyst;
alter default privileges in schema analytics revoke all on tables from convo_pipeline;
reassign owned by convo_pipeline to current_user;
drop owned by convo_analyst;
drop owned by convo_pipeline;

do $$
declare
    name text;
begin
    foreach name in array array['convo_analyst', 'convo_pipeline'] loop
        begin
            execute format('drop role %I', name);
        exception when dependent_objects_still_exist then
            raise notice 'role % stays: another database still uses it', name;
        end;
    end loop;
end
$$;
