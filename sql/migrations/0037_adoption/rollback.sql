-- The functions of before. Views that are captured have to be released before.
do $$
begin
    if exists (select from analytics.adopted_tables) then
        raise exception 'views are captured on the tables beneath: run `convo-pipelines adopt release` before';
    end if;
end
$$;
drop function analytics.source_tables(text);
drop function analytics.drop_triggers(regclass, text);
drop function analytics.tables_beneath(oid, text);
drop function analytics.members_of(oid);
drop function analytics.definitions_of(oid[]);
drop table analytics.adopted_tables;
drop table analytics.adopted_views;
drop table analytics.released_views;

-- The tables that the pipeline reads, or one of them: their kind, whether they are captured, and an identity that changes
-- whenever rows may have come or gone without a trigger; has_others: it has triggers of ours that are no longer wanted. If one
-- table is asked for, no other table's triggers are read.
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, has_others boolean, identity text, columns text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct
            crew.histories_table_name::text as name,
            true as is_histories,
            'log_sessions' as log_function,
            'app' as schema_name,
            array['session_id', 'message', 'created_at'] as reads
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects',
            'users', 'participant_decisions'
        )
        union all
        select wanted.name, false, wanted.log_function, wanted.schema_name, wanted.reads::text[]
        from (
            values
            ('clients', 'log_identifiers', 'app', '{id, client_code, name, is_active}'),
            ('crews', 'log_identifiers', 'app', '{id, client_id, crew_code, name, histories_table_name, is_active}'),
            ('people', 'log_identifiers', 'app', '{id, client_id, name, email, phone, linkedin_urn}'),
            ('contact_methods', 'log_identifiers', 'app', '{id, person_id, kind, value}'),
            (
                'conversations', 'log_conversations', 'app',
                '{id, channel, client_id, crew_id, session_id, project_id, lead_id, customer_id, subject, started_at, closed_at,
                created_at, updated_at}'
            ),
            ('messages', 'log_messages', 'app', '{id, conversation_id, direction, sent_at}'),
            ('message_recipients', 'log_recipients', 'app', '{message_id, contact_method_id, role}'),
            ('projects', 'log_projects', 'app', '{id, user_id, name, conversation_ids}'),
            ('users', 'log_identifiers', 'app', '{id, name}'),
            (
                'participant_decisions', 'log_identifiers', 'curation',
                '{id, contact_method_id, identifier, person_id, decision, revoked_at}'
            )
        ) as wanted (name, log_function, schema_name, reads)
    ),
    roots as (
        select named.*, to_regclass(format('%I.%I', named.schema_name, named.name))::oid as table_oid
        from named
        where only_name is null or named.name = only_name
    ),
    members (name, oid) as (
        select roots.name, roots.table_oid from roots
        where roots.table_oid is not null
        union
        select members.name, pg_inherits.inhrelid
        from members
        inner join pg_inherits on pg_inherits.inhparent = members.oid and not pg_inherits.inhdetachpending
    ),
    parents as (  -- of roots that are themselves partitions or children: rows reach them without naming them
        select inhrelid as oid, string_agg(inhparent::text, ',' order by inhparent) as of
        from pg_inherits
        where not inhdetachpending and inhrelid in (select members.oid from members)
        group by inhrelid
    ),
    capturing as (
        select
            trigger.tgrelid,
            array_agg(trigger.tgname::text) filter (where trigger.tgenabled = 'A') as names,
            array_agg(trigger.tgname::text) as all_names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from pg_trigger as trigger
        where trigger.tgname like 'convo\_pipelines\_%' and trigger.tgrelid in (select members.oid from members)
        group by trigger.tgrelid
    ),
    files as (
        select
            members.name,
            class.oid,
            class.relkind,
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            coalesce(capturing.all_names, array[]::text[]) as all_triggers,
            bool_or(fed.srrelid is not null or members.oid = roots.table_oid and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
    ),
    wanting as (
        select
            files.*,
            array['convo_pipelines_truncate'] || case
                when not files.is_fed then array['convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete']
                when files.relkind <> 'r' then array[]::text[]
                when roots.is_histories then array['convo_pipelines_row', 'convo_pipelines_before']
                else array['convo_pipelines_row']
            end as wanted
        from files
        inner join roots on roots.name = files.name
    ),
    described as (
        select
            files.name,
            array_agg(files.oid order by files.oid) as members,
            case
                when bool_or(files.relkind in ('v', 'm')) then 'it is a view'
                when bool_or(files.relkind = 'f') then 'it is a foreign table, or has a foreign partition'
            end as obstacle,
            bool_or(files.is_fed) as is_fed,
            string_agg(files.identity, ' ' order by files.oid) as identity,
            bool_and(files.triggers @> files.wanted) as is_captured,
            bool_or(not files.all_triggers <@ files.wanted) as has_others
        from wanting as files
        group by files.name
    )
    select
        roots.name,
        roots.is_histories,
        roots.log_function,
        roots.table_oid,
        described.members,
        described.obstacle,
        coalesce(described.is_fed, false),
        coalesce(described.is_captured, false) and described.obstacle is null,
        coalesce(described.has_others, false),
        coalesce(described.identity, 'absent'),
        (
            select string_agg(
                format('%s:%s:%s', attribute.attname, attribute.attnum, attribute.atttypid), ' ' order by attribute.attname
            )
            from pg_attribute as attribute
            where attribute.attrelid = roots.table_oid and attribute.attname = any(roots.reads) and not attribute.attisdropped
        )
    from roots
    left join described on described.name = roots.name
$$;

-- Drops the triggers of one table.
create function analytics.drop_triggers(member regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    trigger_name text;
begin
    for trigger_name in
        select tgname from pg_trigger where tgrelid = member and tgname like 'convo\_pipelines\_%' and tgparentid = 0
    loop
        execute format('drop trigger %I on %s', trigger_name, member);
    end loop;
end
$$;
revoke all on function analytics.drop_triggers(regclass) from public;

-- Creates the triggers on a table that the pipeline reads, and on all its partitions, unless they are there. Reads go on:
-- creating and replacing triggers needs a lock against writers only.
create or replace function analytics.capture(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known record;
    member record;
    definition text;
begin
    if exists (
        select from pg_class where oid = source and relkind in ('r', 'p')
            and relnamespace::regnamespace::text in ('app', 'curation')
    ) then
        perform analytics.lock_source(source, 'share row exclusive');
        lock table app.crews, app.clients in access share mode nowait;
    end if;
    select * into known from analytics.source_tables((select relname from pg_class where oid = source)) where table_oid = source;
    if not found then
        raise exception '% is not read by the pipeline: it is no histories table of an active crew', source
        using errcode = 'insufficient_privilege';
    end if;
    if known.obstacle is not null then
        raise exception '% cannot be captured: %', source, known.obstacle using errcode = 'feature_not_supported';
    end if;
    if known.is_captured then
        return;  -- by another session meanwhile
    end if;
    for member in
        select class.oid::regclass as name, class.relkind as kind from pg_class as class where class.oid = any(known.members)
    loop
        foreach definition in array
            array['truncate after truncate on %s for each statement'] || case
                when not known.is_fed then array[
                    'insert after insert on %s referencing new table as new_rows for each statement',
                    'update after update on %s referencing old table as old_rows new table as new_rows for each statement',
                    'delete after delete on %s referencing old table as old_rows for each statement'
                ]
                when member.kind <> 'r' then array[]::text[]
                when known.is_histories then array[
                    'row after insert or update on %s for each row',
                    'before before update or delete on %s for each row'
                ]
                else array['row after insert or update or delete on %s for each row']
            end
        loop
            execute format(
                'create or replace trigger convo_pipelines_' || definition || ' execute function analytics.%I(%s)',
                member.name, known.log_function, case when not known.is_histories then quote_literal(known.name) end
            );
        end loop;
        perform analytics.enable_triggers(member.name);
    end loop;
end
$$;
revoke all on function analytics.capture(regclass) from public;

-- Drops the triggers of a table and of all its partitions.
create or replace function analytics.release(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    members oid[] := array(
        with recursive members (oid) as (
            select source::oid
            union
            select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
        )
        select members.oid from members
    );
begin
    if exists (select from pg_trigger where tgrelid = any(members) and tgname like 'convo\_pipelines\_%') then
        perform analytics.lock_source(source, 'access exclusive');
        perform analytics.drop_triggers(member::regclass) from unnest(members) as member;
    end if;
end
$$;
revoke all on function analytics.release(regclass) from public;

drop view analytics.missing_app_indexes;

create view analytics.missing_app_indexes as
select
    table_name,
    column_name,
    format('create index concurrently on app.%I using %s (%I)', table_name, method, column_name) as run_this
from (
    values
    ('conversations', 'started_at', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('projects', 'conversation_ids', 'gin')
) as wanted (table_name, column_name, method)
where exists (
    select from pg_attribute as a
    inner join pg_class as t on t.oid = a.attrelid
    inner join pg_namespace as n on n.oid = t.relnamespace
    where n.nspname = 'app' and t.relname = wanted.table_name and a.attname = wanted.column_name
)
    and not exists (
        select from pg_index as i
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_class as t on t.oid = i.indrelid
        inner join pg_namespace as n on n.oid = t.relnamespace
        inner join pg_am as am on am.oid = c.relam
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid
            and i.indpred is null
            and n.nspname = 'app'
            and t.relname = wanted.table_name
            and a.attname = wanted.column_name
            and am.amname = wanted.method
    );

comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills filter by and that have no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that creates the index.';

create or replace function analytics.log_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;
    only_session text;
    only_day date;
    sessions text[];
    days date[];
begin
    if tg_when = 'BEFORE' then
        if tg_op = 'UPDATE' then
            perform set_config('convo_pipelines.updated', concat(old.tableoid, old.ctid), true);
            return new;
        elsif current_setting('convo_pipelines.updated', true) = concat(old.tableoid, old.ctid) then
            operation := 'update';
        end if;
    end if;
    begin
        may_write := has_table_privilege('analytics.session_changes', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                sessions := array[old.session_id::text];
                days := array[(old.created_at at time zone 'UTC')::date];
            end if;
            if tg_op <> 'DELETE' then
                sessions := sessions || new.session_id::text;
                days := days || (new.created_at at time zone 'UTC')::date;
            end if;
        elsif tg_op = 'INSERT' then
            select session_id::text, (created_at at time zone 'UTC')::date, not exists (select from new_rows offset 1)
            into only_session, only_day, is_single
            from new_rows limit 1;
            if not is_single then
                select array_agg(session_id), array_agg(day) into sessions, days from (
                    select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day
                    from new_rows
                ) as changed;
            end if;
        elsif tg_op = 'DELETE' then
            select session_id::text, (created_at at time zone 'UTC')::date, not exists (select from old_rows offset 1)
            into only_session, only_day, is_single
            from old_rows limit 1;
            if not is_single then
                select array_agg(session_id), array_agg(day) into sessions, days from (
                    select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day
                    from old_rows
                ) as changed;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                new_rows.session_id::text,
                (new_rows.created_at at time zone 'UTC')::date,
                old_rows.session_id::text collate "C" is not distinct from new_rows.session_id::text
                and (old_rows.created_at at time zone 'UTC')::date is not distinct from (new_rows.created_at at time zone 'UTC')::date
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into only_session, only_day, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select array_agg(session_id), array_agg(day) into sessions, days from (
                    select session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day from old_rows
                    union
                    select session_id::text collate "C", (created_at at time zone 'UTC')::date from new_rows
                ) as changed;
            end if;
        else
            sessions := array[null]::text[];
            days := array[null]::date[];
        end if;
    exception when others then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operation := case when operation = 'delete' then 'truncate' else 'everything' end;
    end;
    if may_write is not true then
        raise warning '% may not write analytics.session_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return old;
    end if;
    if is_single then
        insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
        values (
            tg_relid,
            only_session,
            only_day,
            case when only_session is not null and only_day is not null then operation else 'unusable' end
        );
    else
        insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
        select
            tg_relid,
            changed.session_id,
            changed.day,
            case
                when operation in ('everything', 'truncate') or changed.session_id is not null and changed.day is not null
                    then operation
                else 'unusable'
            end
        from unnest(sessions, days) as changed (session_id, day);
    end if;
    return old;
end
$$;
revoke all on function analytics.log_sessions() from public;

create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;  -- and in no project, or in the same as before
    only_conversation uuid;
    only_crew uuid;
    only_session text;
    conversations uuid[];
    crews uuid[];
    sessions text[];
    moved uuid[];
    projects uuid[];
    is_any_moved boolean;
begin
    begin
        may_write := has_table_privilege('analytics.conversation_changes', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                conversations := array[old.id]; crews := array[old.crew_id]; sessions := array[old.session_id];
            end if;
            if tg_op <> 'DELETE' then
                conversations := conversations || new.id; crews := crews || new.crew_id; sessions := sessions || new.session_id;
            end if;
            if old.project_id is distinct from new.project_id then
                moved := array[coalesce(new.id, old.id)]; projects := array[new.project_id];
            end if;
        elsif tg_op = 'INSERT' then
            select id, crew_id, session_id, project_id is null and not exists (select from new_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from new_rows limit 1;
            if not is_single then
                select
                    array_agg(id), array_agg(crew_id), array_agg(session_id),
                    array_agg(id) filter (where project_id is not null), array_agg(project_id) filter (where project_id is not null)
                into conversations, crews, sessions, moved, projects
                from new_rows;
            end if;
        elsif tg_op = 'DELETE' then
            select id, crew_id, session_id, project_id is null and not exists (select from old_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from old_rows limit 1;
            if not is_single then
                select array_agg(id), array_agg(crew_id), array_agg(session_id), array_agg(id) filter (where project_id is not null)
                into conversations, crews, sessions, moved
                from old_rows;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                new_rows.id,
                new_rows.crew_id,
                new_rows.session_id,
                (old_rows.id, old_rows.crew_id, old_rows.session_id::text collate "C", old_rows.project_id)
                is not distinct from (new_rows.id, new_rows.crew_id, new_rows.session_id::text, new_rows.project_id)
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into only_conversation, only_crew, only_session, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select array_agg(id), array_agg(crew_id), array_agg(session_id), count(*) > (select count(*) from new_rows)
                into conversations, crews, sessions, is_any_moved
                from (
                    select id, crew_id, session_id, project_id from old_rows
                    union
                    select id, crew_id, session_id, project_id from new_rows
                ) as changed;
                if is_any_moved then
                    select array_agg(id), array_agg(project_id) into moved, projects from (
                        select id, project_id from new_rows except select id, project_id from old_rows
                    ) as changed;
                end if;
            end if;
        else
            conversations := array[null]::uuid[];
        end if;
    exception when others then
        conversations := array[null]::uuid[];
        crews := null;
        sessions := null;
        moved := null;
        operation := 'everything';
    end;
    if moved is null then
        null;
    elsif has_schema_privilege(to_regnamespace('curation'), 'usage')
        and has_table_privilege(to_regclass('curation.project_assignments'), 'insert')
    then
        insert into curation.project_assignments (conversation_id, project_id, actor)
        select
            changed.id,
            changed.project_id,
            case when actor ~* '^[0-9a-f]{4}(-?[0-9a-f]{4}){7}$' then actor::uuid end
        from unnest(moved, projects) as changed (id, project_id)
        cross join current_setting('convo.actor', true) as actor;
    else
        raise warning '% may not write curation.project_assignments: when and by whom projects change is not kept', current_user;
    end if;
    if may_write is not true then
        raise warning '% may not write analytics.conversation_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_single then
        insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
        values (
            tg_argv[0],
            only_conversation,
            only_crew,
            only_session,
            operation,
            case when tg_op <> 'INSERT' and only_crew is not null then pg_current_snapshot() end
        );
    else
        insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
        select
            tg_argv[0],
            changed.id,
            changed.crew_id,
            changed.session_id,
            operation,
            case when tg_op = 'TRUNCATE' or tg_op <> 'INSERT' and changed.crew_id is not null then pg_current_snapshot() end
        from unnest(conversations, crews, sessions) as changed (id, crew_id, session_id);
    end if;
    return null;
end
$$;
revoke all on function analytics.log_conversations() from public;

-- The other logs take one key of each row; these functions differ in names only.
do $generate$
declare
    definition text;
begin
    for definition in select format($create$
create or replace function analytics.%1$I() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op collate "C");
    may_write boolean;
    is_single boolean;
    only_key uuid;
    keys uuid[];
begin
    begin
        may_write := has_table_privilege('analytics.%3$I', 'insert');  -- fails without the right to use the schema
        if tg_level = 'ROW' then
            if tg_op <> 'INSERT' then keys := array[old.%2$I]; end if;
            if tg_op <> 'DELETE' then keys := keys || new.%2$I; end if;
        elsif tg_op = 'INSERT' then
            select %2$I, not exists (select from new_rows offset 1) into only_key, is_single from new_rows limit 1;
            if not is_single then
                select array_agg(distinct %2$I) into keys from new_rows;
            end if;
        elsif tg_op = 'DELETE' then
            select %2$I, not exists (select from old_rows offset 1) into only_key, is_single from old_rows limit 1;
            if not is_single then
                select array_agg(distinct %2$I) into keys from old_rows;
            end if;
        elsif tg_op = 'UPDATE' then
            select
                new_rows.%2$I,
                old_rows.%2$I is not distinct from new_rows.%2$I
                and not exists (select from old_rows offset 1)
                and not exists (select from new_rows offset 1)
            into only_key, is_single
            from old_rows cross join new_rows limit 1;
            if is_single is not true then
                select array_agg(%2$I) into keys from (
                    select %2$I from old_rows union select %2$I from new_rows
                ) as changed;
            end if;
        else
            keys := array[null]::uuid[];
        end if;
    exception when others then
        keys := array[null]::uuid[];
        operation := 'everything';
    end;
    if may_write is not true then
        raise warning '%% may not write analytics.%3$I: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_single then
        insert into analytics.%3$I (%5$s%4$I, operation) select %6$sonly_key, operation
        where only_key is not null;
    else
        insert into analytics.%3$I (%5$s%4$I, operation) select %6$skey, operation
        from unnest(keys) as key
        where key is not null or operation in ('everything', 'truncate');
    end if;
    return null;
end
$$;
revoke all on function analytics.%1$I() from public;
$create$, name, key, log, log_key, source_column, source)
        from (
            values
            ('log_messages', 'conversation_id', 'conversation_changes', 'conversation_id', 'source, ', 'tg_argv[0], '),
            ('log_recipients', 'message_id', 'message_changes', 'message_id', '', ''),
            ('log_identifiers', 'id', 'identifier_changes', 'id', 'source, ', 'tg_argv[0], '),
            ('log_projects', 'id', 'project_changes', 'project_id', '', '')
        ) as logs (name, key, log, log_key, source_column, source)
    loop
        execute definition;
    end loop;
end
$generate$;

-- Locks rows of the application against deletion without waiting, and returns the ids of those that it locked. A refresh
-- calls it before it writes rows that refer to them. A row lock needs the UPDATE privilege, which only the owner has.
create or replace function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    return query execute
        format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
end
$$;
revoke all on function analytics.lock_parents(text, uuid[]) from public;

drop function analytics.missing_indexes_beneath(text, text, text);
drop function analytics.bigint_of(uuid);
drop function analytics.uuid_of(bigint);
drop function analytics.uuid_of(text, text);
