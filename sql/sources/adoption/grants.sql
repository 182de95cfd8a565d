-- Where the roles exist, convo_pipeline reads the views of app, and inserts conversations of crews.
do $$
declare
    columns text := (
        select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = to_regclass('app.conversations')
            and attname in ('id', 'channel', 'external_id', 'client_id', 'crew_id', 'session_id', 'started_at')
    );
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        grant usage on schema app to convo_pipeline;
        grant select on all tables in schema app to convo_pipeline;
        execute format('grant insert (%%s) on app.conversations to convo_pipeline', columns);
    end if;
end
$$;
