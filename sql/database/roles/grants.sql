-- If the roles exist, grants them their rights. Run after every migration and installation of views, so that a new table or view
-- needs no grant of its own.
--
-- * Analysts read all of analytics.
-- * Observers read what does not identify a person: no table or column whose comment ends with the words "Personal data" or
--   "May quote personal data".
-- * The pipeline reads the views of app, and inserts conversations of crews through the view that takes them. It also runs the
--   trigger functions, which name functions and types of the schemas beneath.
do $$
declare
    relation record;
    conversations_columns text := (
        select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = to_regclass('app.conversations')
            and attname in ('id', 'channel', 'external_id', 'client_id', 'crew_id', 'session_id', 'started_at')
    );
    beneath regnamespace;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') is distinct from 'convo_pipeline'
        or to_regrole('convo_observer') is null
    then
        return;
    end if;
    grant usage on schema analytics to convo_analyst, convo_observer;
    grant select on all tables in schema analytics to convo_analyst;
    if to_regprocedure('analytics.looked_up(text, text[])') is not null then
        grant execute on function analytics.looked_up(text, text[]) to convo_analyst, convo_pipeline;  -- views call it
    end if;
    for relation in
        select
            class.oid::regclass as name,
            string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum) filter (
                where coalesce(col_description(class.oid, attribute.attnum), '') not like '%ersonal data.'
            ) as columns
        from pg_class as class
        inner join pg_attribute as attribute on attribute.attrelid = class.oid
        where class.relnamespace = 'analytics'::regnamespace and class.relkind in ('r', 'v')
            and attribute.attnum > 0 and not attribute.attisdropped
            and class.relname not like 'schema\_migration%'
            and coalesce(obj_description(class.oid, 'pg_class'), '') !~ '(Internal|Personal data)\.$'
        group by class.oid
    loop
        if relation.columns is not null then
            execute format('grant select (%s) on %s to convo_observer', relation.columns, relation.name);
        end if;
    end loop;
    if to_regclass('analytics.adopted_tables') is not null
        and (select relkind from pg_class where oid = to_regclass('app.conversations')) = 'v'
    then
        grant usage on schema app to convo_pipeline;
        grant select on all tables in schema app to convo_pipeline;
        execute format('grant insert (%s) on app.conversations to convo_pipeline', conversations_columns);
        for beneath in
            select distinct class.relnamespace::regnamespace from analytics.adopted_tables as adopted
            inner join pg_class as class on class.oid = adopted.table_oid
        loop
            execute format('grant usage on schema %s to convo_pipeline', beneath);
        end loop;
    end if;
end
$$;
