-- Takes the triggers off, table by table, each in a transaction of its own: thousands at once would run out of locks.
do $$
declare
    source regclass;
    trigger_name text;
    attempt int;
begin
    for source in
        select distinct tgrelid::regclass from pg_trigger
        where tgname like 'convo\_pipelines\_%' and not tgisinternal and tgparentid = 0
    loop
        attempt := 0;
        loop
            attempt := attempt + 1;
            perform set_config('lock_timeout', '150ms', true);
            begin
                for trigger_name in
                    select tgname from pg_trigger
                    where tgrelid = source and tgname like 'convo\_pipelines\_%' and tgparentid = 0
                loop
                    execute format('drop trigger %I on %s', trigger_name, source);
                end loop;
                exit;
            exception when lock_not_available then
                if attempt >= 20 then
                    raise;
                end if;
            end;
            commit;
            perform pg_sleep(0.1);
        end loop;
        commit;
    end loop;
end
$$;
