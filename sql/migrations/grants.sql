-- Where the roles line is applied, analysts read all of analytics, and observers what does not identify a person: no names and
-- addresses, no subjects, no session ids. Run after every migration, so that a new table or view needs no grant of its own.
do $$
declare
    relation record;
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') is distinct from 'convo_pipeline'
        or to_regrole('convo_observer') is null
    then
        return;
    end if;
    grant usage on schema analytics to convo_analyst, convo_observer;
    grant select on all tables in schema analytics to convo_analyst;
    for relation in
        select
            class.oid::regclass as name,
            string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum) filter (
                where attribute.attname not in (
                    'added_by_name', 'email', 'example', 'identifier', 'last_error', 'last_warning', 'linkedin_urn',
                    'person_name', 'phone', 'session_id', 'subject', 'value'
                )
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
end
$$;
