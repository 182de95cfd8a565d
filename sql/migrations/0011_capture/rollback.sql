-- Takes the triggers off, table by table, each in a transaction of its own: thousands at once would run out of locks.
do $$
declare
    source regclass;
    attempt int;
begin
    for source in
        select distinct tgrelid::regclass from pg_trigger where tgname like 'convo\_pipelines\_%' and not tgisinternal
            and tgfoid::regproc::text like 'analytics.log\_%'
    loop
        attempt := 0;
        loop
            attempt := attempt + 1;
            perform set_config('lock_timeout', case when attempt < 20 then '150ms' else '1500ms' end, true);
            begin
                perform analytics.drop_triggers(source);
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

drop table if exists analytics.capture_state;

drop function if exists
    analytics.capture, analytics.release, analytics.drop_triggers, analytics.enable_triggers, analytics.source_tables;

drop function if exists
    analytics.log_sessions, analytics.log_conversations, analytics.log_messages, analytics.log_recipients,
    analytics.log_identifiers, analytics.log_projects;
