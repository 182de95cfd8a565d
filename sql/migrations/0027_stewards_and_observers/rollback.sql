-- Nobody but the owner decides; drops the roles unless another database still uses them.
drop owned by convo_steward;
drop owned by convo_observer;

do $$
declare
    name text;
begin
    foreach name in array array['convo_steward', 'convo_observer'] loop
        begin
            execute format('drop role %I', name);
        exception when dependent_objects_still_exist then
            raise notice 'role % stays: another database still uses it', name;
        end;
    end loop;
end
$$;
