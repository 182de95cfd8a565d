-- Where the roles exist, convo_pipeline reads the views of app, inserts conversations of crews through the one that takes them,
-- and runs the trigger functions, which name functions and types of the schemas beneath.
do $$
declare
    columns text := (
        select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = to_regclass('app.conversations')
            and attname in ('id', 'channel', 'external_id', 'client_id', 'crew_id', 'session_id', 'started_at')
    );
    beneath regnamespace;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        grant usage on schema app to convo_pipeline;
        grant select on all tables in schema app to convo_pipeline;
        execute format('grant insert (%%s) on app.conversations to convo_pipeline', columns);
        for beneath in
            select distinct class.relnamespace::regnamespace from analytics.adopted_tables as adopted
            inner join pg_class as class on class.oid = adopted.table_oid
        loop
            execute format('grant usage on schema %%s to convo_pipeline', beneath);
        end loop;
    end if;
end
$$;
