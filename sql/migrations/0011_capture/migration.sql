-- The triggers that write the change logs, and what puts them on a table. Statements are separated by an empty line.
-- A trigger reads no other table. It collects keys where an error is caught, without writing, so that no statement of
-- the application fails or costs another transaction id, and logs "everything of this table" where it could not.
create or replace function analytics.log_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    sessions text[];
    days date[];
begin
    begin
        if tg_op = 'TRUNCATE' then
            sessions := array[null]::text[];
            days := array[null]::date[];
        elsif tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                sessions := array[old.session_id::text];
                days := array[(old.created_at at time zone 'UTC')::date];
            end if;
            if tg_op <> 'DELETE' then
                sessions := sessions || new.session_id::text;
                days := days || (new.created_at at time zone 'UTC')::date;
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from new_rows
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
            ) as changed;
        else
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select session_id::text as session_id, (created_at at time zone 'UTC')::date as day from old_rows
                union
                select session_id::text, (created_at at time zone 'UTC')::date from new_rows
            ) as changed;
        end if;
    exception when others then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operation := case when tg_op = 'DELETE' then 'truncate' else 'everything' end;
    end;
    insert into analytics.session_changes (table_oid, session_id, activity_date, operation)
    select
        tg_relid,
        changed.session_id,
        changed.day,
        case
            when operation in ('everything', 'truncate') or changed.session_id is not null and changed.day is not null
                then operation
            else 'unplaced'
        end
    from unnest(sessions, days) as changed (session_id, day);
    return null;
end
$$;

create or replace function analytics.log_conversations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    conversations uuid[];
    crews uuid[];
    sessions text[];
begin
    begin
        if tg_op = 'TRUNCATE' then
            conversations := array[null]::uuid[];
        elsif tg_level = 'ROW' then
            if tg_op <> 'INSERT' then
                conversations := array[old.id]; crews := array[old.crew_id]; sessions := array[old.session_id];
            end if;
            if tg_op <> 'DELETE' then
                conversations := conversations || new.id; crews := crews || new.crew_id; sessions := sessions || new.session_id;
            end if;
        elsif tg_op = 'INSERT' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from old_rows;
        else
            select array_agg(id), array_agg(crew_id), array_agg(session_id) into conversations, crews, sessions from (
                select id, crew_id, session_id from old_rows union select id, crew_id, session_id from new_rows
            ) as changed;
        end if;
    exception when others then
        conversations := array[null]::uuid[];
        crews := null;
        sessions := null;
        operation := 'everything';
    end;
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation)
    select tg_argv[0], changed.id, changed.crew_id, changed.session_id, operation
    from unnest(conversations, crews, sessions) as changed (id, crew_id, session_id);
    return null;
end
$$;

-- One function for each log that holds a single key: by its name, the key's column, and what is logged.
do $generate$
declare
    log record;
begin
    for log in
        select * from (
            values
            ('log_messages', 'conversation_id', 'conversation_changes (source, conversation_id, operation) select tg_argv[0],'),
            ('log_recipients', 'message_id', 'message_changes (message_id, operation) select'),
            ('log_identifiers', 'id', 'identifier_changes (source, id, operation) select tg_argv[0],'),
            ('log_projects', 'id', 'project_changes (project_id, operation) select')
        ) as logs (function_name, key, target)
    loop
        execute format(
            $template$
            create or replace function analytics.%1$I() returns trigger
            language plpgsql security definer set search_path = pg_catalog, pg_temp
            as $$
            declare
                operation text := lower(tg_op);
                keys uuid[];
            begin
                begin
                    if tg_op = 'TRUNCATE' then
                        keys := array[null]::uuid[];
                    elsif tg_level = 'ROW' then
                        if tg_op <> 'INSERT' then keys := array[old.%2$I]; end if;
                        if tg_op <> 'DELETE' then keys := keys || new.%2$I; end if;
                    elsif tg_op = 'INSERT' then
                        select array_agg(distinct %2$I) into keys from new_rows;
                    elsif tg_op = 'DELETE' then
                        select array_agg(distinct %2$I) into keys from old_rows;
                    else
                        select array_agg(%2$I) into keys from (
                            select %2$I from old_rows union select %2$I from new_rows
                        ) as changed;
                    end if;
                exception when others then
                    keys := array[null]::uuid[];
                    operation := 'everything';
                end;
                insert into analytics.%3$s key, operation
                from unnest(keys) as key
                where key is not null or operation in ('everything', 'truncate');
                return null;
            end
            $$
            $template$,
            log.function_name, log.key, log.target
        );
    end loop;
end
$generate$;

-- The tables that the pipeline reads, or one of them: what they are, whether they are captured, and their identity,
-- which changes whenever rows may have come or gone without a trigger.
create or replace function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[], obstacle text, is_fed boolean,
    is_captured boolean, identity text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct crew.histories_table_name::text as name, true as is_histories, 'log_sessions' as log_function
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and crew.histories_table_name not in (
            'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects'
        )
        union all
        select wanted.name, false, wanted.log_function
        from (
            values
            ('crews', 'log_identifiers'), ('people', 'log_identifiers'),
            ('contact_methods', 'log_identifiers'), ('conversations', 'log_conversations'), ('messages', 'log_messages'),
            ('message_recipients', 'log_recipients'), ('projects', 'log_projects')
        ) as wanted (name, log_function)
    ),
    roots as (
        select named.*, to_regclass(format('app.%I', named.name))::oid as table_oid
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
        where not inhdetachpending
        group by inhrelid
    ),
    capturing as (
        select
            trigger.tgrelid,
            array_agg(trigger.tgname::text order by trigger.tgname) filter (where trigger.tgenabled = 'A') as names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from pg_trigger as trigger
        where trigger.tgname like 'convo\_pipelines\_%'
        group by trigger.tgrelid
    ),
    files as (
        select
            members.name,
            class.oid,
            class.relkind,
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            bool_or(fed.srrelid is not null or members.oid = roots.table_oid and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
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
            bool_and(
                files.triggers @> array['convo_pipelines_truncate'] and case
                    when not files.is_fed then
                        files.triggers @> array['convo_pipelines_delete', 'convo_pipelines_insert', 'convo_pipelines_update']
                    else files.relkind = 'p' or files.triggers @> array['convo_pipelines_row']
                end
            ) as is_captured
        from files
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
        coalesce(described.identity, 'absent')
    from roots
    left join described on described.name = roots.name
$$;

-- Puts the triggers on a table that the pipeline reads, with all its partitions. Set lock_timeout before: writers queue
-- behind the wait for the lock.
create or replace function analytics.capture(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known record;
    member record;
    argument text;
begin
    select * into known from analytics.source_tables((select relname from pg_class where oid = source)) where table_oid = source;
    if not found then
        raise exception '% is not read by the pipeline: it is no histories table of an active crew', source
        using errcode = 'insufficient_privilege';
    end if;
    if known.obstacle is not null then
        raise exception '% cannot be captured: %', source, known.obstacle using errcode = 'feature_not_supported';
    end if;
    execute format('lock table %s in share row exclusive mode', source);
    argument := case when known.is_histories then '' else quote_literal(known.name) end;
    for member in
        select class.oid::regclass as name, class.relkind as kind from pg_class as class where class.oid = any(known.members)
    loop
        perform analytics.drop_triggers(member.name);
        if known.is_fed and member.kind = 'r' then
            execute format(
                'create trigger convo_pipelines_row after insert or update or delete on %s '
                'for each row execute function analytics.%I(%s)', member.name, known.log_function, argument);
        elsif not known.is_fed then
            execute format(
                'create trigger convo_pipelines_insert after insert on %s referencing new table as new_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
            execute format(
                'create trigger convo_pipelines_update after update on %s referencing old table as old_rows new table as new_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
            execute format(
                'create trigger convo_pipelines_delete after delete on %s referencing old table as old_rows '
                'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
        end if;
        execute format(
            'create trigger convo_pipelines_truncate after truncate on %s '
            'for each statement execute function analytics.%I(%s)', member.name, known.log_function, argument);
        perform analytics.enable_triggers(member.name);
    end loop;
end
$$;

create or replace function analytics.drop_triggers(member regclass) returns void
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

create or replace function analytics.enable_triggers(member regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    trigger_name text;
begin
    for trigger_name in select tgname from pg_trigger where tgrelid = member and tgname like 'convo\_pipelines\_%' loop
        execute format('alter table only %s enable always trigger %I', member, trigger_name);
    end loop;
end
$$;

-- Takes the triggers off a table, with all its partitions.
create or replace function analytics.release(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    member regclass;
begin
    for member in
        with recursive members (oid) as (
            select source::oid
            union
            select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
        )
        select members.oid::regclass from members
    loop
        perform analytics.drop_triggers(member);
    end loop;
end
$$;

-- The links of persons pass themselves on, so that those that a deleted person takes along are no exception.
create or replace trigger convo_pipelines_insert after insert on analytics.people_conversations
referencing new table as new_rows
for each statement execute function analytics.log_messages('people_conversations');

create or replace trigger convo_pipelines_delete after delete on analytics.people_conversations
referencing old table as old_rows
for each statement execute function analytics.log_messages('people_conversations');

alter table analytics.people_conversations
enable always trigger convo_pipelines_insert,
enable always trigger convo_pipelines_delete;

-- What is remembered of each source: where it differs from what the catalog says, everything is read again.
create table if not exists analytics.capture_state (
    table_name text primary key,
    table_oid oid,
    members oid[],
    identity text,
    mode text not null check (mode in ('captured', 'window')),
    is_wanted boolean not null default true,
    is_settled boolean not null default true,
    remark text,
    changed_at timestamptz not null default now()
);

comment on table analytics.capture_state is 'The tables of app that are read, and whether their changes are logged. Internal.';

comment on column analytics.capture_state.table_name is 'The table in app.';

comment on column analytics.capture_state.table_oid is 'Its oid; null: there is none of that name.';

comment on column analytics.capture_state.members is 'Its oid and those of its partitions.';

comment on column analytics.capture_state.identity is
'What the catalog said of its files and triggers; where it says otherwise, everything is read again.';

comment on column analytics.capture_state.mode is
'captured: changes are logged; window: the last two days are read at each tick, the rest nightly.';

comment on column analytics.capture_state.is_wanted is 'Whether it is to be captured: convo-pipelines capture on, off.';

comment on column analytics.capture_state.is_settled is 'false: somebody held a lock on it; it is tried again.';

comment on column analytics.capture_state.remark is 'Why it is not captured.';

comment on column analytics.capture_state.changed_at is 'When this was last found out.';

revoke all on function analytics.capture, analytics.release, analytics.drop_triggers, analytics.enable_triggers from public;

revoke all on function
    analytics.log_sessions, analytics.log_conversations, analytics.log_messages, analytics.log_recipients,
    analytics.log_identifiers, analytics.log_projects
from public;

do $$
begin
    if (select nspowner::regrole::text from pg_namespace where nspname = 'analytics') = 'convo_pipeline' then
        alter table analytics.capture_state owner to convo_pipeline;
    end if;
end
$$;
