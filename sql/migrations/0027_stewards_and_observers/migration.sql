-- Two roles more: convo_steward decides whose contact methods are, and reads what analysts read; convo_observer reads
-- analytics without what says who somebody is: no names and addresses, no subjects, no session ids.
do $$
declare
    relation record;
begin
    if to_regclass('curation.participant_decisions') is null or to_regclass('analytics.person_names') is null then
        raise exception 'the schema is older than these roles: run `convo-pipelines migrate up --only analytics` first';
    end if;
    if to_regrole('convo_steward') is null then
        create role convo_steward login;
    end if;
    if to_regrole('convo_observer') is null then
        create role convo_observer login;
    end if;
    execute format('grant connect, temporary on database %I to convo_steward, convo_observer', current_database());

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
            and class.relname <> 'schema_migrations'
            and obj_description(class.oid, 'pg_class') not like '%Internal.'
            and obj_description(class.oid, 'pg_class') not like '%Personal data.'
        group by class.oid
    loop
        execute format('grant select (%s) on %s to convo_observer', relation.columns, relation.name);
    end loop;
end
$$;

grant usage on schema analytics to convo_observer;
grant usage on schema curation to convo_steward;
grant convo_analyst to convo_steward;
grant select, insert (contact_method_id, person_id, decision, reason, decided_by), update (revoked_at, revoked_by)
on curation.participant_decisions to convo_steward;
