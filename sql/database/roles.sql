-- name: conversations_table
-- If app.conversations is a view over the owner's tables, a table takes its place while the roles are created or dropped.
-- Only a table can have a trigger for each row that is inserted.
do $$
begin
    if (select relkind from pg_class where oid = to_regclass('app.conversations')) = 'v' then
        alter view app.conversations rename to conversations_view;
        create table app.conversations (
            id uuid, channel text, external_id text, client_id uuid, crew_id uuid, session_id text, started_at timestamptz
        );
        if to_regproc('analytics.refuse_undiscovered') is not null then
            create trigger convo_pipeline_discovers before insert on app.conversations
            for each row execute function analytics.refuse_undiscovered();
        end if;
    end if;
end
$$;


-- name: create
-- Four roles, without a password: give them one, or grant them to roles that log in. convo_pipeline owns analytics, reads app and
-- writes only the conversations it discovers; convo_analyst reads analytics; convo_steward decides who contact methods belong to,
-- and reads what analysts read; convo_observer reads analytics without what identifies a person.
-- After it, as after every migration: sql/migrations/ownership and sql/migrations/grants.
do $$
declare
    name text;
begin
    if to_regclass('curation.participant_decisions') is null or to_regclass('analytics.person_names') is null then
        raise exception 'the roles need the schema analytics: run `convo-pipelines migrate up --only analytics` first';
    end if;
    foreach name in array array['convo_pipeline', 'convo_analyst', 'convo_steward', 'convo_observer'] loop
        if to_regrole(name) is null then
            execute format('create role %I login', name);
        end if;
        execute format('grant connect, temporary on database %I to %I', current_database(), name);
    end loop;
    execute format('grant convo_pipeline to %I', current_user);
    alter schema analytics owner to convo_pipeline;
end
$$;

grant usage on schema app to convo_pipeline;
grant select on all tables in schema app to convo_pipeline;
alter default privileges in schema app grant select on tables to convo_pipeline;
grant insert (id, channel, external_id, client_id, crew_id, session_id, started_at)
on app.conversations to convo_pipeline;

create or replace function analytics.refuse_undiscovered() returns trigger
language plpgsql
as $$
begin
    raise exception 'convo_pipeline may only insert conversations of crews'' sessions'
    using errcode = 'insufficient_privilege';
end
$$;
alter function analytics.refuse_undiscovered owner to convo_pipeline;
create or replace trigger convo_pipeline_discovers before insert on app.conversations
for each row
when (current_user = 'convo_pipeline' and (new.channel <> 'crew' or new.crew_id is null or new.session_id is null))
execute function analytics.refuse_undiscovered();

alter default privileges for role convo_pipeline in schema analytics grant select on tables to convo_analyst;
alter default privileges in schema analytics grant select on tables to convo_analyst;
alter default privileges in schema analytics grant all on tables to convo_pipeline;

grant usage on schema curation to convo_steward;
grant convo_analyst to convo_steward;
grant select, insert (contact_method_id, person_id, decision, reason, decided_by), update (revoked_at, revoked_by)
on curation.participant_decisions to convo_steward;


-- name: conversations_view
-- The view again, in place of the table of conversations_table.
do $$
begin
    if to_regclass('app.conversations_view') is not null then
        drop table app.conversations;
        alter view app.conversations_view rename to conversations;
    end if;
end
$$;


-- name: ownership
-- If the roles exist, convo_pipeline owns the tables and views of analytics, new ones too, the functions that write the logs, and
-- the one that reads views of app for others. The owner of analytics.capture() may create triggers that call these, and so may
-- convo_pipeline, for the lake. It binds foreign keys again, and reads and writes decisions and assignments to projects. Stewards
-- also decide on identifiers.
do $$
declare
    relation record;
    given text;
    log_function regprocedure;
    installer regrole := (select proowner from pg_proc where oid = to_regprocedure('analytics.capture(regclass)'));
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        select string_agg(oid::regclass::text, ', ') into given from pg_class
        where relnamespace = 'analytics'::regnamespace and relkind = 'r' and relowner <> 'convo_pipeline'::regrole;
        if given is not null then
            execute format('lock table %s in access exclusive mode nowait', given);
        end if;
        for relation in
            select oid::regclass as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
            where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
                and relowner <> 'convo_pipeline'::regrole
        loop
            execute format('alter %s %s owner to convo_pipeline', relation.kind, relation.name);
        end loop;
        grant execute on function
            analytics.bind_foreign_key(text), analytics.capture(regclass), analytics.capture_tables(regclass[]),
            analytics.lock_parents(text, uuid[]), analytics.release(regclass),
            analytics.create_triggers(regclass, text, boolean, boolean), analytics.drop_triggers(regclass, text)
        to convo_pipeline;
        execute format('grant usage on schema analytics to %s', installer);
        for log_function in
            select oid from pg_proc
            where pronamespace = 'analytics'::regnamespace and proname like 'log\_%' and prorettype = 'trigger'::regtype
        loop
            execute format('alter function %s owner to convo_pipeline', log_function);
            execute format('grant execute on function %s to %s', log_function, installer);
        end loop;
        if to_regprocedure('analytics.sessions_of_no_crew()') is not null then
            alter function analytics.sessions_of_no_crew() owner to convo_pipeline;
        end if;
        if to_regclass('curation.participant_decisions') is not null then
            grant usage on schema curation to convo_pipeline;
            grant select, insert, update, delete on curation.participant_decisions to convo_pipeline;
        end if;
        if to_regclass('curation.project_assignments') is not null then
            grant select, insert, delete on curation.project_assignments to convo_pipeline;
            grant insert (identifier) on curation.participant_decisions to convo_steward;
        end if;
    end if;
end
$$;


-- name: grants
-- If the roles exist, grants them their rights. Run after every migration and installation of views, so that a new table or view
-- needs no grant of its own.
--
-- * Analysts read all of analytics.
-- * Observers read what does not identify a person: no table or column whose comment ends with the words "Personal data" or
--   "May quote personal data".
-- * Both read the views of other schemas that show tables of one's own, as they read these.
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
    if to_regprocedure('analytics.sessions_of_no_crew()') is not null then
        grant execute on function analytics.sessions_of_no_crew() to convo_analyst;
    end if;
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
    for relation in
        select
            class.oid::regclass as name,
            class.relnamespace::regnamespace as place,
            string_agg(quote_ident(attribute.attname), ', ') filter (
                where has_column_privilege('convo_observer', shown.oid, attribute.attname, 'select')
            ) as columns
        from pg_class as class
        inner join pg_class as shown
            on class.relname = shown.relname and shown.relnamespace = 'analytics'::regnamespace and shown.relkind = 'r'
        inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
        where class.relkind = 'v' and obj_description(class.oid, 'pg_class')
            = 'Shows analytics.' || class.relname || '; `convo-pipelines table apply` keeps it.'
        group by class.oid
    loop
        execute format('grant usage on schema %s to convo_analyst, convo_observer', relation.place);
        execute format('grant select on %s to convo_analyst', relation.name);
        if relation.columns is not null then
            execute format('grant select (%s) on %s to convo_observer', relation.columns, relation.name);
        end if;
    end loop;
    if to_regclass('analytics.adopted_tables') is not null then
        if (select relkind from pg_class where oid = to_regclass('app.conversations')) = 'v' then
            grant usage on schema app to convo_pipeline;
            grant select on all tables in schema app to convo_pipeline;
            execute format('grant insert (%s) on app.conversations to convo_pipeline', conversations_columns);
        end if;
        for relation in
            select class.oid::regclass as name from pg_class as class
            where (
                class.oid in (select adopted.view_oid from analytics.adopted_views as adopted)
                or class.relnamespace = to_regnamespace('app') and class.relkind = 'v' and class.relname like '%\_of\_no\_crew'
            )
            and pg_has_role(class.relowner, 'usage') and not has_table_privilege('convo_pipeline', class.oid, 'select')
        loop
            execute format('grant select on %s to convo_pipeline', relation.name);
        end loop;
        for beneath in
            select distinct class.relnamespace::regnamespace from analytics.adopted_tables as adopted
            inner join pg_class as class on class.oid = adopted.table_oid
        loop
            execute format('grant usage on schema %s to convo_pipeline', beneath);
        end loop;
    end if;
end
$$;


-- name: drop
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
