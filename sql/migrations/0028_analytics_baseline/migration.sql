-- What this project derives, as migrations 0002 to 0026 left it.

comment on schema analytics is
'Derived by convo_pipelines from app and the crews'' histories tables; can be dropped and rebuilt at any time.';

-- Committed since `seen` was taken, up to `taken`: PostgreSQL's own definition. Inlined, so that the index on xid serves.
create function analytics.is_new(xid xid8, seen pg_snapshot, taken pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(seen) and not pg_visible_in_snapshot(xid, seen) and pg_visible_in_snapshot(xid, taken);

-- A time that Python, pandas and a calendar can hold: not infinity, not the year 20260.
create function analytics.is_usable_time(at timestamptz) returns boolean
language sql immutable parallel safe
return coalesce(at >= '0001-01-02 00:00:00+00' and at < '9999-12-30 00:00:00+00', false);

-- A session id that fits the unique index of app.conversations, whatever its characters.
create function analytics.is_usable_session(session_id text) returns boolean
language sql immutable parallel safe
return coalesce(octet_length(session_id) <= 2000, false);

-- The type of a message; null where the value is invalid. A json column may hold a value that cannot be parsed.
create function analytics.message_type(message jsonb) returns text
language sql immutable parallel safe
return message ->> 'type';

create function analytics.message_type(message json) returns text
language plpgsql immutable
as $$
begin
    return message ->> 'type';
exception when others then
    return null;
end
$$;

-- The logs are append-only and have no unique keys. They are trimmed by DELETE, which a publication of all tables must allow.
create table analytics.session_changes (
    table_oid oid not null,
    session_id text,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index session_changes_xid on analytics.session_changes (xid);
create index session_changes_deletions on analytics.session_changes (table_oid, xid)
where operation in ('delete', 'truncate');
create index session_changes_everything on analytics.session_changes (xid)
where operation in ('everything', 'truncate');
alter table analytics.session_changes replica identity full;

comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that a transaction wrote to. Internal.';
comment on column analytics.session_changes.table_oid is 'The histories table, or the partition of one.';
comment on column analytics.session_changes.session_id is
'The session; with operation everything: of its day, after this session; null: see operation.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows; with operation everything: from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update, delete; everything: read the whole table again; truncate: that, and rows are gone; unplaced: rows '
'without a session or a time, which are left out.';
comment on column analytics.session_changes.xid is 'The transaction that changed it.';
comment on column analytics.session_changes.logged_at is 'When that transaction began.';

create table analytics.conversation_changes (
    source text not null,
    conversation_id uuid,
    crew_id uuid,
    session_id text,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(),
    client_id uuid,
    activity_date date
) with (vacuum_truncate = off);
create index conversation_changes_xid on analytics.conversation_changes (xid);
create index conversation_changes_everything on analytics.conversation_changes (xid)
where conversation_id is null and crew_id is null;
alter table analytics.conversation_changes replica identity full;

comment on table analytics.conversation_changes is
'Change log of conversations, their messages, and of tables derived from them. Internal.';
comment on column analytics.conversation_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';
comment on column analytics.conversation_changes.conversation_id is
'The conversation; null with a crew_id or client_id: of a session, or a day; null without: everything of the source.';
comment on column analytics.conversation_changes.crew_id is 'The crew, of a crew''s conversation, session or day.';
comment on column analytics.conversation_changes.session_id is 'The session, of a crew''s conversation or session.';
comment on column analytics.conversation_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.conversation_changes.xid is 'The transaction that changed it.';
comment on column analytics.conversation_changes.logged_at is 'When that transaction began.';
comment on column analytics.conversation_changes.client_id is 'The client, of a client''s day.';
comment on column analytics.conversation_changes.activity_date is 'The UTC day of a session, crew or client.';

create table analytics.message_changes (
    message_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index message_changes_xid on analytics.message_changes (xid);
create index message_changes_everything on analytics.message_changes (xid) where message_id is null;
alter table analytics.message_changes replica identity full;

comment on table analytics.message_changes is 'Change log of the messages'' recipients. Internal.';
comment on column analytics.message_changes.message_id is 'The message; null: everything.';
comment on column analytics.message_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.message_changes.xid is 'The transaction that changed it.';
comment on column analytics.message_changes.logged_at is 'When that transaction began.';

create table analytics.identifier_changes (
    source text not null,
    id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index identifier_changes_xid on analytics.identifier_changes (xid);
create index identifier_changes_everything on analytics.identifier_changes (xid) where id is null;
alter table analytics.identifier_changes replica identity full;

comment on table analytics.identifier_changes is
'Change log of people, contact methods, crews, clients, and of whose each contact method is. Internal.';
comment on column analytics.identifier_changes.source is
'The table whose row changed; "… again": what a refresh of that table left for its next tick, because it was locked.';
comment on column analytics.identifier_changes.id is
'The person, contact method, crew, client or decision; null: everything of the source.';
comment on column analytics.identifier_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.identifier_changes.xid is 'The transaction that changed it.';
comment on column analytics.identifier_changes.logged_at is 'When that transaction began.';

create table analytics.project_changes (
    project_id uuid,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now()
) with (vacuum_truncate = off);
create index project_changes_xid on analytics.project_changes (xid);
create index project_changes_everything on analytics.project_changes (xid) where project_id is null;
alter table analytics.project_changes replica identity full;

comment on table analytics.project_changes is 'Change log of the projects. Internal.';
comment on column analytics.project_changes.project_id is 'The project; null: everything.';
comment on column analytics.project_changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.project_changes.xid is 'The transaction that changed it.';
comment on column analytics.project_changes.logged_at is 'When that transaction began.';

create view analytics.changes as
select 'histories' as source, xid, logged_at, operation, operation in ('everything', 'truncate') as is_everything
from analytics.session_changes
union all
select source, xid, logged_at, operation, conversation_id is null and crew_id is null and client_id is null
from analytics.conversation_changes
union all
select 'message_recipients', xid, logged_at, operation, message_id is null
from analytics.message_changes
union all
select source, xid, logged_at, operation, id is null
from analytics.identifier_changes
union all
select 'projects', xid, logged_at, operation, project_id is null
from analytics.project_changes;

comment on view analytics.changes is 'All change logs together. Internal.';
comment on column analytics.changes.source is 'The table whose row changed; histories: any histories table.';
comment on column analytics.changes.xid is 'The transaction that changed it.';
comment on column analytics.changes.logged_at is 'When that transaction began.';
comment on column analytics.changes.operation is 'insert, update, delete, truncate or everything.';
comment on column analytics.changes.is_everything is 'Whether everything of the source is to be read again.';

-- The triggers that write the change logs. A trigger reads no other table. It collects keys inside an exception block without
-- writing, so that no statement of the application fails or uses another transaction id, and logs "everything of this table"
-- where it could not.
create function analytics.log_sessions() returns trigger
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
revoke all on function analytics.log_sessions() from public;

create function analytics.log_conversations() returns trigger
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
revoke all on function analytics.log_conversations() from public;

create function analytics.log_messages() returns trigger
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
            if tg_op <> 'INSERT' then keys := array[old.conversation_id]; end if;
            if tg_op <> 'DELETE' then keys := keys || new.conversation_id; end if;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct conversation_id) into keys from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct conversation_id) into keys from old_rows;
        else
            select array_agg(conversation_id) into keys from (
                select conversation_id from old_rows union select conversation_id from new_rows
            ) as changed;
        end if;
    exception when others then
        keys := array[null]::uuid[];
        operation := 'everything';
    end;
    insert into analytics.conversation_changes (source, conversation_id, operation) select tg_argv[0], key, operation
    from unnest(keys) as key
    where key is not null or operation in ('everything', 'truncate');
    return null;
end
$$;
revoke all on function analytics.log_messages() from public;

create function analytics.log_recipients() returns trigger
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
            if tg_op <> 'INSERT' then keys := array[old.message_id]; end if;
            if tg_op <> 'DELETE' then keys := keys || new.message_id; end if;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct message_id) into keys from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct message_id) into keys from old_rows;
        else
            select array_agg(message_id) into keys from (
                select message_id from old_rows union select message_id from new_rows
            ) as changed;
        end if;
    exception when others then
        keys := array[null]::uuid[];
        operation := 'everything';
    end;
    insert into analytics.message_changes (message_id, operation) select key, operation
    from unnest(keys) as key
    where key is not null or operation in ('everything', 'truncate');
    return null;
end
$$;
revoke all on function analytics.log_recipients() from public;

create function analytics.log_identifiers() returns trigger
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
            if tg_op <> 'INSERT' then keys := array[old.id]; end if;
            if tg_op <> 'DELETE' then keys := keys || new.id; end if;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct id) into keys from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct id) into keys from old_rows;
        else
            select array_agg(id) into keys from (
                select id from old_rows union select id from new_rows
            ) as changed;
        end if;
    exception when others then
        keys := array[null]::uuid[];
        operation := 'everything';
    end;
    insert into analytics.identifier_changes (source, id, operation) select tg_argv[0], key, operation
    from unnest(keys) as key
    where key is not null or operation in ('everything', 'truncate');
    return null;
end
$$;
revoke all on function analytics.log_identifiers() from public;

create function analytics.log_projects() returns trigger
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
            if tg_op <> 'INSERT' then keys := array[old.id]; end if;
            if tg_op <> 'DELETE' then keys := keys || new.id; end if;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct id) into keys from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct id) into keys from old_rows;
        else
            select array_agg(id) into keys from (
                select id from old_rows union select id from new_rows
            ) as changed;
        end if;
    exception when others then
        keys := array[null]::uuid[];
        operation := 'everything';
    end;
    insert into analytics.project_changes (project_id, operation) select key, operation
    from unnest(keys) as key
    where key is not null or operation in ('everything', 'truncate');
    return null;
end
$$;
revoke all on function analytics.log_projects() from public;

-- The tables that the pipeline reads, or one of them: their kind, whether they are captured, and an identity that changes
-- whenever rows may have come or gone without a trigger. If one table is asked for, no other table's triggers are read.
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, identity text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct crew.histories_table_name::text as name, true as is_histories, 'log_sessions' as log_function
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects'
        )
        union all
        select wanted.name, false, wanted.log_function
        from (
            values
            ('clients', 'log_identifiers'), ('crews', 'log_identifiers'), ('people', 'log_identifiers'),
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
        where not inhdetachpending and inhrelid in (select members.oid from members)
        group by inhrelid
    ),
    capturing as (
        select
            trigger.tgrelid,
            array_agg(trigger.tgname::text order by trigger.tgname) filter (where trigger.tgenabled = 'A') as names,
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
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of, case when class.oid = to_regclass('app.projects') and not exists (
                select from pg_attribute as attribute
                where attribute.attrelid = class.oid and attribute.attname = 'conversation_ids'
            ) then 'without conversation_ids' end) as identity,
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

-- Makes the triggers of one table fire for replicated changes, too.
create function analytics.enable_triggers(member regclass) returns void
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
revoke all on function analytics.enable_triggers(regclass) from public;

-- Creates the triggers on a table that the pipeline reads, and on all its partitions. Set lock_timeout before: writers queue
-- behind the wait for the lock.
create function analytics.capture(source regclass) returns void
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
revoke all on function analytics.capture(regclass) from public;

-- Drops the triggers of a table and of all its partitions.
create function analytics.release(source regclass) returns void
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
revoke all on function analytics.release(regclass) from public;

create table analytics.capture_state (
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
create index capture_state_members on analytics.capture_state using gin (members);

comment on table analytics.capture_state is
'The tables of app that are read, and whether their changes are logged. Internal.';
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

create table analytics.catalog_state (
    is_the_one boolean primary key default true check (is_the_one),
    fingerprint text,
    seen_at timestamptz not null default now()
);

comment on table analytics.catalog_state is 'When the catalog was last looked at table by table: one row. Internal.';
comment on column analytics.catalog_state.is_the_one is 'Always true.';
comment on column analytics.catalog_state.fingerprint is
'Of the tables, partitions, triggers, crews and clients at that time; null: to be looked at.';
comment on column analytics.catalog_state.seen_at is 'When that was.';

insert into analytics.catalog_state default values;

create table analytics.refresh_state (
    asset_key text primary key,
    follows text[] not null,
    snapshot pg_snapshot,
    snapshot_at timestamptz,
    building pg_snapshot,
    building_at timestamptz,
    written_by xid8 not null default pg_current_xact_id(),
    lease_holder text,
    lease_until timestamptz,
    last_run_at timestamptz,
    last_success_at timestamptz
);

comment on table analytics.refresh_state is 'How far each derived table has accounted for the change logs.';
comment on column analytics.refresh_state.asset_key is 'The table.';
comment on column analytics.refresh_state.follows is
'The tables whose changes it reads, or of which only some operations: conversations delete.';
comment on column analytics.refresh_state.snapshot is
'The watermark: every transaction visible in it has been accounted for; null until the table has been built.';
comment on column analytics.refresh_state.snapshot_at is 'When the snapshot was taken.';
comment on column analytics.refresh_state.building is
'The snapshot that becomes the watermark once the first build has ended; logs are kept from it on.';
comment on column analytics.refresh_state.building_at is 'When that snapshot was taken.';
comment on column analytics.refresh_state.written_by is
'The transaction that wrote this row; where it is not the row''s own xmin, the row was restored from another server.';
comment on column analytics.refresh_state.lease_holder is 'Who is at work on a tick of the table; null: nobody.';
comment on column analytics.refresh_state.lease_until is
'Until when, unless renewed: a dead holder''s lease ends by itself.';
comment on column analytics.refresh_state.last_run_at is 'When the last tick began.';
comment on column analytics.refresh_state.last_success_at is 'When a tick last ended well.';

create view analytics.freshness as
select
    state.asset_key as table_name,
    case when waiting.changes = 0 then now() else state.snapshot_at end as as_of,
    waiting.changes as changes_waiting,
    waiting.oldest as waiting_since,
    state.last_success_at
from analytics.refresh_state as state
cross join lateral (
    select count(*) as changes, min(change.logged_at) as oldest
    from analytics.changes as change
    where analytics.is_new(change.xid, state.snapshot, pg_current_snapshot())
        and (change.source = any(state.follows) or change.source || ' ' || change.operation = any(state.follows))
) as waiting;

comment on view analytics.freshness is 'As of when each table is right: everything committed before as_of is in it.';
comment on column analytics.freshness.table_name is 'The table in analytics.';
comment on column analytics.freshness.as_of is
'Everything committed before is accounted for, as far as the tables it is derived from have it; null: not built yet.';
comment on column analytics.freshness.changes_waiting is 'Logged changes that the next tick will read.';
comment on column analytics.freshness.waiting_since is 'When the oldest of them was made; null: none waits.';
comment on column analytics.freshness.last_success_at is 'When a tick of the table last ended well.';

create table analytics.trim_state (
    is_the_one boolean primary key default true check (is_the_one),
    trimmed_below xid8 not null,
    trimmed_at timestamptz not null default now()
);

comment on table analytics.trim_state is 'How far the change logs have been trimmed: one row. Internal.';
comment on column analytics.trim_state.is_the_one is 'Always true.';
comment on column analytics.trim_state.trimmed_below is 'No log holds a row of an earlier transaction.';
comment on column analytics.trim_state.trimmed_at is 'When it was found out.';

insert into analytics.trim_state (trimmed_below) values ('0');

-- Locks rows of the application against deletion without waiting, and returns the ids of those that it locked. A refresh
-- calls it before it writes rows that refer to them. A row lock needs the UPDATE privilege, which only the owner has.
create function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
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

create table analytics.oddities (
    asset_key text not null,
    crew_id uuid,
    kind text not null,
    rows bigint not null,
    example text,
    remedy text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    unique nulls not distinct (asset_key, crew_id, kind)
);
alter table analytics.oddities replica identity full;

comment on table analytics.oddities is
'Rows of the application that are left out or read otherwise than written, by table, crew and kind. What a tick meets '
'is noted; the nightly reconcile counts them all, and drops what is no longer there.';
comment on column analytics.oddities.asset_key is 'The derived table that met them.';
comment on column analytics.oddities.crew_id is 'The crew; null: the table is not read per crew.';
comment on column analytics.oddities.kind is 'What is odd about them.';
comment on column analytics.oddities.rows is 'How many: after a reconcile all there are, later at least so many.';
comment on column analytics.oddities.example is 'The key of one of them.';
comment on column analytics.oddities.remedy is 'What to do about them.';
comment on column analytics.oddities.first_seen_at is 'When the first was met.';
comment on column analytics.oddities.last_seen_at is 'When the last was met.';

create table analytics.crew_discovery_state (
    crew_id uuid primary key references app.crews on delete cascade,
    histories_table_name text not null,
    is_discovered boolean not null default true,
    mode text not null default 'captured' check (mode in ('captured', 'window')),
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_duration_ms bigint,
    sessions_scanned bigint not null default 0,
    conversations_created bigint not null default 0,
    consecutive_failures integer not null default 0,
    last_error text,
    last_warning text,
    client_id uuid
);

comment on table analytics.crew_discovery_state is 'How each crew''s discovery fares.';
comment on column analytics.crew_discovery_state.crew_id is 'The crew.';
comment on column analytics.crew_discovery_state.histories_table_name is 'The table it was last read from.';
comment on column analytics.crew_discovery_state.is_discovered is
'Whether it and its client were active at the last look; switched on again, it is read from the start.';
comment on column analytics.crew_discovery_state.mode is
'captured: its changes are logged; window: the last two days at each tick, the rest nightly.';
comment on column analytics.crew_discovery_state.last_run_at is 'Start of the last run that worked on the crew.';
comment on column analytics.crew_discovery_state.last_success_at is 'End of the last run that succeeded for the crew.';
comment on column analytics.crew_discovery_state.last_duration_ms is 'Milliseconds the last run spent on the crew.';
comment on column analytics.crew_discovery_state.sessions_scanned is 'Session-days recomputed so far.';
comment on column analytics.crew_discovery_state.conversations_created is 'Rows given to app.conversations so far.';
comment on column analytics.crew_discovery_state.consecutive_failures is 'Failed runs since the last success.';
comment on column analytics.crew_discovery_state.last_error is 'Why the last run failed; null after a success.';
comment on column analytics.crew_discovery_state.last_warning is 'What the last run wants somebody to look at.';
comment on column analytics.crew_discovery_state.client_id is 'Its client at the last look.';

create view analytics.conversation_owners as
select
    conversation.id as conversation_id,
    coalesce(conversation.client_id, crew.client_id) as client_id
from app.conversations as conversation
left join app.crews as crew on crew.id = conversation.crew_id;

comment on view analytics.conversation_owners is
'Whose conversation it is: the client it names; only where it names none, the client of its crew.';
comment on column analytics.conversation_owners.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_owners.client_id is 'Its client; null: it names none and has no crew.';

create table analytics.histories_sessions (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    activity_date date not null,
    message_count bigint not null,
    human_count bigint not null,
    ai_count bigint not null,
    first_message_at timestamptz not null,
    last_message_at timestamptz not null,
    first_human_at timestamptz,
    first_ai_at timestamptz,
    first_response_at timestamptz,
    refreshed_at timestamptz not null default now(),
    archived_at timestamptz,
    primary key (crew_id, session_id, activity_date)
);
create index histories_sessions_activity_date on analytics.histories_sessions (crew_id, activity_date);
create index histories_sessions_archived on analytics.histories_sessions (crew_id, activity_date)
where archived_at is not null;

comment on table analytics.histories_sessions is
'One row per crew, session and UTC day with messages: partial aggregates. Add the counts, take min and max of the '
'times.';
comment on column analytics.histories_sessions.crew_id is 'The crew whose histories table holds the session.';
comment on column analytics.histories_sessions.session_id is 'The session, as the crew''s histories table names it.';
comment on column analytics.histories_sessions.activity_date is 'UTC day of the messages counted in this row.';
comment on column analytics.histories_sessions.message_count is
'Messages of any type, tool calls and unknown types included.';
comment on column analytics.histories_sessions.human_count is 'Messages of type human.';
comment on column analytics.histories_sessions.ai_count is 'Messages of type ai.';
comment on column analytics.histories_sessions.first_message_at is 'Time of the day''s first message.';
comment on column analytics.histories_sessions.last_message_at is 'Time of the day''s last message.';
comment on column analytics.histories_sessions.first_human_at is 'Time of the day''s first human message.';
comment on column analytics.histories_sessions.first_ai_at is 'Time of the day''s first ai message.';
comment on column analytics.histories_sessions.first_response_at is
'Time of the day''s first ai message that is not earlier than its first human message.';
comment on column analytics.histories_sessions.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.histories_sessions.archived_at is
'When rows of it were deleted that were old already: since then it keeps what it counts; null: it follows its source.';

create table analytics.deleted_conversations (
    crew_id uuid not null references app.crews on delete cascade,
    session_id text not null,
    deleted_at timestamptz not null,
    primary key (crew_id, session_id)
);

comment on table analytics.deleted_conversations is
'Sessions whose conversation the application deleted: they get none again until new messages come.';
comment on column analytics.deleted_conversations.crew_id is 'The crew.';
comment on column analytics.deleted_conversations.session_id is 'The session.';
comment on column analytics.deleted_conversations.deleted_at is 'When the conversation was deleted.';

create table analytics.conversation_summaries (
    conversation_id uuid primary key references app.conversations on delete cascade,
    source text not null check (source in ('histories', 'messages')),
    channel text not null,
    client_id uuid,
    crew_id uuid,
    session_id text,
    project_id uuid,
    message_count bigint not null,
    inbound_count bigint not null,
    outbound_count bigint not null,
    participant_count bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    duration_seconds float8 not null,
    first_response_seconds float8,
    closed_at timestamptz,
    refreshed_at timestamptz not null default now(),
    lead_id uuid,
    customer_id uuid
);
create index conversation_summaries_client on analytics.conversation_summaries (client_id, started_at);
create index conversation_summaries_ended_at on analytics.conversation_summaries (ended_at);
create index conversation_summaries_lead on analytics.conversation_summaries (lead_id, started_at desc)
where lead_id is not null;
create index conversation_summaries_customer
on analytics.conversation_summaries (customer_id, started_at desc)
where customer_id is not null;

comment on table analytics.conversation_summaries is
'One row per conversation that has a message, whatever its source: a crew''s sessions or app.messages.';
comment on column analytics.conversation_summaries.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.conversation_summaries.source is
'Where the messages are: histories (the crew''s histories table) or messages (app.messages).';
comment on column analytics.conversation_summaries.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.conversation_summaries.client_id is
'The client the conversation belongs to: the one it names, else its crew''s.';
comment on column analytics.conversation_summaries.crew_id is 'The crew, for a crew''s session.';
comment on column analytics.conversation_summaries.session_id is 'The session, for a crew''s session.';
comment on column analytics.conversation_summaries.project_id is 'The project the conversation names.';
comment on column analytics.conversation_summaries.message_count is 'All messages.';
comment on column analytics.conversation_summaries.inbound_count is 'Inbound messages; human ones in a session.';
comment on column analytics.conversation_summaries.outbound_count is 'Outbound messages; ai ones in a session.';
comment on column analytics.conversation_summaries.participant_count is
'Distinct contact methods among the recipients (from, to, cc, bcc); in a session, how many of human and ai wrote.';
comment on column analytics.conversation_summaries.started_at is 'Time of the first message.';
comment on column analytics.conversation_summaries.ended_at is 'Time of the last message so far.';
comment on column analytics.conversation_summaries.duration_seconds is 'Seconds from started_at to ended_at.';
comment on column analytics.conversation_summaries.first_response_seconds is
'Seconds from the first inbound message to the first outbound one that is not earlier; null while unanswered.';
comment on column analytics.conversation_summaries.closed_at is 'When the application closed the conversation.';
comment on column analytics.conversation_summaries.refreshed_at is 'Start of the transaction that last wrote this row.';
comment on column analytics.conversation_summaries.lead_id is 'The lead that the conversation names.';
comment on column analytics.conversation_summaries.customer_id is 'The customer that the conversation names.';

create table analytics.conversation_days (
    conversation_id uuid not null,
    activity_date date not null,
    client_id uuid not null,
    source text not null,
    message_count bigint not null,
    is_started boolean not null,
    is_closed boolean not null,
    first_response_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (conversation_id, activity_date, client_id)
);
create index conversation_days_client_id on analytics.conversation_days (client_id, activity_date);

comment on table analytics.conversation_days is
'What happened in each client''s conversation on each UTC day with anything: partial aggregates, for clients'' days.';
comment on column analytics.conversation_days.conversation_id is 'The conversation.';
comment on column analytics.conversation_days.activity_date is 'UTC day with a message, or on which it was closed.';
comment on column analytics.conversation_days.client_id is
'The client it belongs to; part of the key, so that a conversation that changes hands leaves one client''s day for '
'another''s.';
comment on column analytics.conversation_days.source is 'histories or messages, as in conversation_summaries.';
comment on column analytics.conversation_days.message_count is 'Messages of that day.';
comment on column analytics.conversation_days.is_started is 'Whether its first message is of that day.';
comment on column analytics.conversation_days.is_closed is 'Whether it was closed on that day.';
comment on column analytics.conversation_days.first_response_seconds is
'Seconds to the first answer, on the day of its first message; null: on any other, or not answered.';
comment on column analytics.conversation_days.refreshed_at is 'Start of the transaction that last wrote this row.';

create table analytics.crew_activity_daily (
    crew_id uuid not null references app.crews on delete cascade,
    activity_date date not null,
    crew_code text not null,
    crew_name text not null,
    client_id uuid not null,
    sessions bigint not null,
    messages bigint not null,
    human_messages bigint not null,
    ai_messages bigint not null,
    first_response_median_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (crew_id, activity_date)
);
create index crew_activity_daily_activity_date on analytics.crew_activity_daily (activity_date);

comment on table analytics.crew_activity_daily is
'What each crew did on each UTC day: one row per crew and day with messages.';
comment on column analytics.crew_activity_daily.crew_id is 'The crew.';
comment on column analytics.crew_activity_daily.activity_date is 'UTC day.';
comment on column analytics.crew_activity_daily.crew_code is 'The crew''s code.';
comment on column analytics.crew_activity_daily.crew_name is 'The crew''s name.';
comment on column analytics.crew_activity_daily.client_id is 'The crew''s client now.';
comment on column analytics.crew_activity_daily.sessions is 'Sessions with a message on that day.';
comment on column analytics.crew_activity_daily.messages is 'Messages of any type.';
comment on column analytics.crew_activity_daily.human_messages is 'Messages of type human.';
comment on column analytics.crew_activity_daily.ai_messages is 'Messages of type ai.';
comment on column analytics.crew_activity_daily.first_response_median_seconds is
'Exact median seconds from a session''s first human message of the day to the first ai message after it; null if none '
'was answered.';
comment on column analytics.crew_activity_daily.refreshed_at is 'Start of the transaction that last wrote this row.';

create view analytics.busiest_crews as
select
    rank() over (order by sum(day.message_count) desc) as place,
    day.crew_id,
    crew.crew_code,
    crew.name as crew_name,
    crew.client_id,
    count(distinct day.session_id) as sessions,
    sum(day.message_count)::bigint as messages
from analytics.histories_sessions as day
inner join app.crews as crew on crew.id = day.crew_id
where day.activity_date >= (now() at time zone 'UTC')::date - 30
group by day.crew_id, crew.crew_code, crew.name, crew.client_id;

comment on view analytics.busiest_crews is
'The crews of the last 30 UTC days and today, the one with most messages first.';
comment on column analytics.busiest_crews.place is '1 for the busiest; equal crews share a place.';
comment on column analytics.busiest_crews.crew_id is 'The crew.';
comment on column analytics.busiest_crews.crew_code is 'The crew''s code.';
comment on column analytics.busiest_crews.crew_name is 'The crew''s name.';
comment on column analytics.busiest_crews.client_id is 'The crew''s client now.';
comment on column analytics.busiest_crews.sessions is 'Sessions with a message in that time.';
comment on column analytics.busiest_crews.messages is 'Messages of any type in that time.';

create table analytics.client_activity_daily (
    client_id uuid not null references app.clients on delete cascade,
    activity_date date not null,
    client_code text not null,
    sessions bigint not null,
    messages bigint not null,
    conversations_started bigint not null,
    conversations_closed bigint not null,
    first_response_median_seconds float8,
    first_response_p90_seconds float8,
    refreshed_at timestamptz not null default now(),
    primary key (client_id, activity_date)
);
create index client_activity_daily_activity_date on analytics.client_activity_daily (activity_date);

comment on table analytics.client_activity_daily is
'What happened in each client''s conversations on each UTC day: one row per client and day with anything.';
comment on column analytics.client_activity_daily.client_id is 'The client the conversations belong to.';
comment on column analytics.client_activity_daily.activity_date is 'UTC day.';
comment on column analytics.client_activity_daily.client_code is 'The client''s code.';
comment on column analytics.client_activity_daily.sessions is 'Crews'' sessions with a message on that day.';
comment on column analytics.client_activity_daily.messages is 'Messages of that day, of sessions, e-mail and chats.';
comment on column analytics.client_activity_daily.conversations_started is
'Conversations whose first message is of that day.';
comment on column analytics.client_activity_daily.conversations_closed is 'Conversations closed on that day.';
comment on column analytics.client_activity_daily.first_response_median_seconds is
'Exact median seconds to the first answer, of the conversations started on that day; null if none was answered.';
comment on column analytics.client_activity_daily.first_response_p90_seconds is
'Exact 90th percentile of the seconds to the first answer, of the conversations started on that day.';
comment on column analytics.client_activity_daily.refreshed_at is 'Start of the transaction that last wrote this row.';

-- Decisions outlive analytics: they exist already if analytics was dropped and is built again.
create schema if not exists curation;
comment on schema curation is 'What people decide by hand. Nothing of it can be computed again: back it up.';

create table if not exists curation.participant_decisions (
    id uuid primary key default gen_random_uuid(),
    contact_method_id uuid not null,
    person_id uuid not null,
    decision text not null check (decision in ('link', 'never')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    revoked_by text,
    revoked_at timestamptz,
    check ((revoked_by is null) = (revoked_at is null))
);
create unique index if not exists participant_decisions_in_force
on curation.participant_decisions (contact_method_id, person_id)
where revoked_at is null;
create index if not exists participant_decisions_person_id on curation.participant_decisions (person_id);

comment on table curation.participant_decisions is
'Whose contact methods are, and are not, by somebody''s decision. It is revoked (set revoked_at), never changed or '
'deleted.';
comment on column curation.participant_decisions.id is 'The decision.';
comment on column curation.participant_decisions.contact_method_id is
'The contact method in app.contact_methods; whatever has the same identifier is meant, too.';
comment on column curation.participant_decisions.person_id is 'The person in app.people.';
comment on column curation.participant_decisions.decision is
'link: it is theirs, whatever else matches; never: it is not, though it match. The application''s own word outranks '
'both.';
comment on column curation.participant_decisions.reason is 'Why.';
comment on column curation.participant_decisions.decided_by is 'By whom.';
comment on column curation.participant_decisions.decided_at is 'When.';
comment on column curation.participant_decisions.revoked_by is 'Who revoked it; null: it is in force.';
comment on column curation.participant_decisions.revoked_at is 'When it was revoked; null: it is in force.';

create or replace function curation.check_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        if not exists (select from app.contact_methods where id = new.contact_method_id) then
            raise exception 'there is no contact method %', new.contact_method_id using errcode = 'foreign_key_violation';
        elsif not exists (select from app.people where id = new.person_id) then
            raise exception 'there is no person %', new.person_id using errcode = 'foreign_key_violation';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('participant_decisions', 0));  -- one decides after the other
        if new.decision = 'link' and exists (
            select from curation.participant_decisions as former
            inner join app.people as other on other.id = former.person_id
            inner join app.people as person on person.id = new.person_id and person.client_id = other.client_id
            where former.contact_method_id = new.contact_method_id and former.decision = 'link'
                and former.revoked_at is null and former.person_id <> new.person_id
        ) then
            raise exception 'contact method % is linked to another person of that client: revoke that first', new.contact_method_id
            using errcode = 'unique_violation';
        end if;
    elsif old.revoked_at is not null
        or (old.id, old.contact_method_id, old.person_id, old.decision, old.reason, old.decided_by, old.decided_at)
        is distinct from (new.id, new.contact_method_id, new.person_id, new.decision, new.reason, new.decided_by, new.decided_at)
    then
        raise exception 'a decision is not changed: revoke it (set revoked_at = now()), and insert another'
        using errcode = 'restrict_violation';
    elsif new.revoked_at is not null then
        new.revoked_by := coalesce(new.revoked_by, session_user);
    end if;
    return new;
end
$$;
create or replace trigger check_decision before insert or update on curation.participant_decisions
for each row execute function curation.check_decision();
create or replace trigger convo_pipelines_insert after insert on curation.participant_decisions
referencing new table as new_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_update after update on curation.participant_decisions
referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_delete after delete on curation.participant_decisions
referencing old table as old_rows
for each statement execute function analytics.log_identifiers('participant_decisions');
create or replace trigger convo_pipelines_truncate after truncate on curation.participant_decisions
for each statement execute function analytics.log_identifiers('participant_decisions');
alter table curation.participant_decisions
enable always trigger convo_pipelines_insert,
enable always trigger convo_pipelines_update,
enable always trigger convo_pipelines_delete,
enable always trigger convo_pipelines_truncate;

create table analytics.identifiers (
    place text not null check (place in ('person', 'contact_method', 'conversation', 'link', 'never')),
    place_id uuid not null,
    kind text not null check (kind in ('email', 'phone', 'linkedin', 'session')),
    value text not null,
    identifier text,
    person_id uuid,
    client_id uuid,
    primary key (place_id, place, kind)
);
create index identifiers_identifier on analytics.identifiers (identifier);
create index identifiers_person_id on analytics.identifiers (person_id) where person_id is not null;

comment on table analytics.identifiers is
'Every place where an e-mail address, a phone number or a LinkedIn profile stands, in its one canonical form. Internal.';
comment on column analytics.identifiers.place is
'Where it stands: person, contact_method or conversation; link or never: in a contact method that somebody decided on.';
comment on column analytics.identifiers.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifiers.kind is
'email, phone, linkedin, or session: the session id of a crew''s conversation, which may be any of them.';
comment on column analytics.identifiers.value is 'As the application spells it.';
comment on column analytics.identifiers.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana. Of a contact method whose value is '
'none of these, its id, so that somebody can decide whose it is; null elsewhere.';
comment on column analytics.identifiers.person_id is
'Who has it: the person of the record, to whom the application gave the contact method, or whom the decision names.';
comment on column analytics.identifiers.client_id is 'That person''s client.';

create view analytics.identifier_places as
select
    'person' as place,
    person.id as place_id,
    given.kind,
    given.value,
    null::text as otherwise,
    person.id as person_id,
    person.client_id
from app.people as person
cross join lateral (
    values ('email', person.email), ('phone', person.phone), ('linkedin', person.linkedin_urn)
) as given (kind, value)
where given.value is not null
union all
select
    decision.decision,
    decision.id,
    contact.kind,
    contact.value,
    contact.id::text,
    person.id,
    person.client_id
from curation.participant_decisions as decision
inner join app.contact_methods as contact on contact.id = decision.contact_method_id
inner join app.people as person on person.id = decision.person_id
where decision.revoked_at is null
union all
select
    'contact_method',
    contact.id,
    contact.kind,
    contact.value,
    contact.id::text,
    person.id,
    person.client_id
from app.contact_methods as contact
left join app.people as person on person.id = contact.person_id
union all
select
    'conversation',
    id,
    'session',
    session_id,
    null,
    null,
    null
from app.conversations
where crew_id is not null and session_id ~* '@|^\s*urn:li:|linkedin\.com/|^\s*[+(0-9][-+0-9 ()./]{5,30}$';

comment on view analytics.identifier_places is
'What analytics.identifiers should hold of the application''s tables as they are now, not yet in canonical form. '
'Internal.';
comment on column analytics.identifier_places.place is
'person, contact_method, conversation, or of a decision: link, never.';
comment on column analytics.identifier_places.place_id is
'The person, the contact method, the crew''s conversation or the decision.';
comment on column analytics.identifier_places.kind is 'email, phone, linkedin or session.';
comment on column analytics.identifier_places.value is 'As the application spells it.';
comment on column analytics.identifier_places.otherwise is 'What stands for the identifier if value is none.';
comment on column analytics.identifier_places.person_id is 'Who has it, where the application or a decision says so.';
comment on column analytics.identifier_places.client_id is 'That person''s client.';

create view analytics.identifier_holders as
select distinct
    place.identifier,
    place.person_id,
    place.client_id,
    place.place = 'link' as is_decided
from analytics.identifiers as place
where place.person_id is not null and place.place <> 'never' and not exists (
    select from analytics.identifiers as never
    where never.identifier = place.identifier and never.place = 'never' and never.person_id = place.person_id
);

comment on view analytics.identifier_holders is
'Who holds each identifier: by their own record, by a contact method that the application gave them, or by decision; '
'without those of whom it was decided that it never is theirs.';
comment on column analytics.identifier_holders.identifier is
'Canonical: ana@example.com, +49301234567, urn:li:member:1, linkedin.com/in/ana; or the id of a contact method without '
'one.';
comment on column analytics.identifier_holders.person_id is 'The person.';
comment on column analytics.identifier_holders.client_id is 'The person''s client.';
comment on column analytics.identifier_holders.is_decided is 'Whether by decision.';

create function analytics.confidence_of(method text) returns numeric
language sql immutable parallel safe
return case method
    when 'manual' then 1.00 when 'decision' then 1.00 when 'email' then 0.95 when 'phone' then 0.90 when 'linkedin' then 0.85
end;
comment on function analytics.confidence_of is
'How sure a method is: the application or a decision says so, or an e-mail address, a phone number, a LinkedIn profile.';

create function analytics.kind_of(identifier text) returns text
language sql immutable parallel safe
return case when identifier like '%@%' then 'email' when identifier like '+%' then 'phone' else 'linkedin' end;
comment on function analytics.kind_of is 'email, phone or linkedin: what a canonical identifier is.';

create function analytics.holder_of(wanted text, client uuid) returns table (
    person_id uuid, is_decided boolean, candidate_count bigint
)
language sql stable
as $$
    select
        case
            when count(*) filter (where is_decided) = 1 then min(person_id::text) filter (where is_decided)
            when count(distinct person_id) = 1 then min(person_id::text)
        end::uuid,
        bool_or(is_decided),
        count(distinct person_id)
    from analytics.identifier_holders
    where identifier = wanted and (client is null or client_id = client)
$$;
comment on function analytics.holder_of is
'Whom an identifier names among the persons of a client, or all if that is null: who was decided, else who holds it, if '
'that is exactly one; and how many there are.';

create table analytics.participant_resolutions (
    contact_method_id uuid primary key references app.contact_methods on delete cascade,
    person_id uuid references app.people on delete set null,
    status text not null check (status in ('resolved', 'ambiguous', 'unmatched', 'invalid')),
    method text check (method in ('manual', 'decision', 'email', 'phone', 'linkedin')),
    confidence numeric(3, 2),
    candidate_count bigint not null,
    resolved_at timestamptz not null default now()
);
create index participant_resolutions_person_id on analytics.participant_resolutions (person_id);

comment on table analytics.participant_resolutions is 'Whose each contact method is: one row per contact method.';
comment on column analytics.participant_resolutions.contact_method_id is 'The contact method in app.contact_methods.';
comment on column analytics.participant_resolutions.person_id is 'The person, if the status is resolved; else null.';
comment on column analytics.participant_resolutions.status is
'resolved: exactly one person; ambiguous: several have this identifier, of whom a conversation''s client may leave one; '
'unmatched: nobody has; invalid: it is none.';
comment on column analytics.participant_resolutions.method is
'manual: set by the application; decision: by somebody''s decision; email, phone, linkedin: matched by that identifier; '
'null if not resolved.';
comment on column analytics.participant_resolutions.confidence is
'1.00 manual and decision, 0.95 email, 0.90 phone, 0.85 linkedin; null if not resolved.';
comment on column analytics.participant_resolutions.candidate_count is
'Persons that have this identifier, in their own record, by a contact method the application gave them, or by decision.';
comment on column analytics.participant_resolutions.resolved_at is 'When this row last changed.';

create view analytics.unknown_senders as
select
    resolution.contact_method_id,
    contact.kind,
    resolution.status,
    count(*) as messages
from analytics.participant_resolutions as resolution
inner join app.contact_methods as contact on contact.id = resolution.contact_method_id
inner join app.message_recipients as recipient
    on recipient.contact_method_id = resolution.contact_method_id and recipient.role = 'from'
where resolution.status <> 'resolved'
group by resolution.contact_method_id, contact.kind, resolution.status;

comment on view analytics.unknown_senders is
'Contact methods that write to us and are nobody''s for certain, and how often they do.';
comment on column analytics.unknown_senders.contact_method_id is 'The contact method.';
comment on column analytics.unknown_senders.kind is 'email, phone or linkedin.';
comment on column analytics.unknown_senders.status is 'ambiguous, unmatched or invalid.';
comment on column analytics.unknown_senders.messages is 'Messages from it.';

create view analytics.conversation_people as
select
    participant.conversation_id,
    person.id as person_id,
    case place.place when 'contact_method' then 'recipient' else 'session' end as via,
    case place.place when 'contact_method' then place.place_id end as contact_method_id,
    named.method,
    analytics.confidence_of(named.method) as confidence,
    named.method <> 'manual' and exists (
        select from analytics.identifier_holders as other
        where other.identifier = place.identifier and other.client_id <> owner.client_id
    ) as is_narrowed
from (
    select distinct
        message.conversation_id,
        'contact_method' as place,
        recipient.contact_method_id as place_id
    from app.messages as message
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    union all
    select
        id,
        'conversation',
        id
    from app.conversations
    where crew_id is not null
) as participant
inner join analytics.conversation_owners as owner on owner.conversation_id = participant.conversation_id
inner join analytics.identifiers as place
    on place.place_id = participant.place_id and place.place = participant.place
cross join lateral analytics.holder_of(
    case when place.person_id is null then place.identifier end, owner.client_id
) as holder
inner join app.people as person on person.id = coalesce(place.person_id, holder.person_id)
cross join lateral (
    select
        case
            when place.person_id is not null then 'manual'
            when holder.is_decided then 'decision'
            else analytics.kind_of(place.identifier)
        end as method
) as named;

comment on view analytics.conversation_people is
'Who is in a conversation, and why: a contact method of theirs, or resolved to be theirs, is recipient of a message, in '
'any role, or its session id names them. What is decided or matched never takes a conversation that belongs to one '
'client to a person of another; what the application sets does. Ask for some conversations: of all, it reads every '
'message.';
comment on column analytics.conversation_people.conversation_id is 'The conversation.';
comment on column analytics.conversation_people.person_id is 'The person.';
comment on column analytics.conversation_people.via is 'recipient, or session: what names them.';
comment on column analytics.conversation_people.contact_method_id is
'The recipient''s contact method; null: the session id.';
comment on column analytics.conversation_people.method is
'manual: the application says whose it is; decision: somebody decided; email, phone, linkedin: the identifier that '
'matched.';
comment on column analytics.conversation_people.confidence is 'How sure that is, from 0 to 1.';
comment on column analytics.conversation_people.is_narrowed is
'Whether persons of other clients have the identifier too, so that it is the conversation''s client that tells who is '
'meant.';

-- Inserted and deleted links are logged by triggers, so that links that a foreign key deletes are logged, too.
create table analytics.people_conversations (
    id uuid primary key default gen_random_uuid(),
    person_id uuid not null references app.people on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (person_id, conversation_id)
);
create index people_conversations_conversation_id on analytics.people_conversations (conversation_id);

comment on table analytics.people_conversations is
'Who is in which conversation: a recipient of any of its messages, in any role, or the session id of a crew''s.';
comment on column analytics.people_conversations.id is 'Key of the link.';
comment on column analytics.people_conversations.person_id is 'The person in app.people.';
comment on column analytics.people_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.people_conversations.created_at is 'When the link was found.';
comment on column analytics.people_conversations.updated_at is 'When the link was last written; a right link is not.';

create trigger convo_pipelines_insert after insert on analytics.people_conversations
referencing new table as new_rows
for each statement execute function analytics.log_messages('people_conversations');
create trigger convo_pipelines_delete after delete on analytics.people_conversations
referencing old table as old_rows
for each statement execute function analytics.log_messages('people_conversations');
alter table analytics.people_conversations
enable always trigger convo_pipelines_insert,
enable always trigger convo_pipelines_delete;

create view analytics.person_timeline as
select
    link.person_id,
    person.name as person_name,
    person.client_id,
    link.conversation_id,
    summary.channel,
    conversation.subject,
    summary.started_at,
    summary.ended_at,
    summary.message_count,
    summary.first_response_seconds,
    summary.closed_at
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
inner join analytics.conversation_summaries as summary on summary.conversation_id = link.conversation_id;

comment on view analytics.person_timeline is 'The conversations each person is in; order it by started_at.';
comment on column analytics.person_timeline.person_id is 'The person.';
comment on column analytics.person_timeline.person_name is 'The person''s name.';
comment on column analytics.person_timeline.client_id is 'The person''s client.';
comment on column analytics.person_timeline.conversation_id is 'The conversation.';
comment on column analytics.person_timeline.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.person_timeline.subject is 'The subject, of an e-mail thread.';
comment on column analytics.person_timeline.started_at is 'Time of the first message.';
comment on column analytics.person_timeline.ended_at is 'Time of the last message so far.';
comment on column analytics.person_timeline.message_count is 'All messages.';
comment on column analytics.person_timeline.first_response_seconds is
'Seconds to the first answer; null while unanswered.';
comment on column analytics.person_timeline.closed_at is 'When it was closed; null while it is open.';

create view analytics.conversation_clients as
select
    link.conversation_id,
    person.client_id,
    'person' as via,
    link.person_id
from analytics.people_conversations as link
inner join app.people as person on person.id = link.person_id
union all
select
    conversation.id,
    owner.client_id,
    'crew',
    null
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
where conversation.crew_id is not null and owner.client_id is not null;

comment on view analytics.conversation_clients is
'Which clients are in a conversation, and why: a person of theirs is, or it is a session of their crew.';
comment on column analytics.conversation_clients.conversation_id is 'The conversation.';
comment on column analytics.conversation_clients.client_id is 'The client.';
comment on column analytics.conversation_clients.via is 'person or crew: what takes it there.';
comment on column analytics.conversation_clients.person_id is 'The person; null: the crew.';

create table analytics.clients_conversations (
    id uuid primary key default gen_random_uuid(),
    client_id uuid not null references app.clients on delete cascade,
    conversation_id uuid not null references app.conversations on delete cascade,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    channel text,
    crew_id uuid,
    project_id uuid,
    started_at timestamptz,
    closed_at timestamptz,
    unique (client_id, conversation_id)
);
create index clients_conversations_conversation_id on analytics.clients_conversations (conversation_id);
create index clients_conversations_newest
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc);
create index clients_conversations_channel
on analytics.clients_conversations (client_id, channel, started_at desc, conversation_id desc);
create index clients_conversations_crew
on analytics.clients_conversations (client_id, crew_id, started_at desc, conversation_id desc)
where crew_id is not null;
create index clients_conversations_project
on analytics.clients_conversations (client_id, project_id, started_at desc, conversation_id desc)
where project_id is not null;
create index clients_conversations_open
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc)
where closed_at is null;
create index clients_conversations_closed
on analytics.clients_conversations (client_id, started_at desc, conversation_id desc)
where closed_at is not null;

comment on table analytics.clients_conversations is 'Whose people or crew are in which conversation.';
comment on column analytics.clients_conversations.id is 'Key of the link.';
comment on column analytics.clients_conversations.client_id is 'The client in app.clients.';
comment on column analytics.clients_conversations.conversation_id is 'The conversation in app.conversations.';
comment on column analytics.clients_conversations.created_at is 'When the link was found.';
comment on column analytics.clients_conversations.updated_at is 'When the link was last written; a right link is not.';
comment on column analytics.clients_conversations.channel is 'Of the conversation.';
comment on column analytics.clients_conversations.crew_id is 'Of the conversation, if it is a crew''s.';
comment on column analytics.clients_conversations.project_id is 'The project that the conversation names.';
comment on column analytics.clients_conversations.started_at is 'When the conversation was started.';
comment on column analytics.clients_conversations.closed_at is 'When it was closed; null while it is open.';

create table analytics.project_conversations (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null unique references app.conversations on delete cascade,
    added_at timestamptz not null,
    added_by uuid references app.users on delete set null
);
create index project_conversations_project_id on analytics.project_conversations (project_id, added_at);
create index project_conversations_added_by on analytics.project_conversations (added_by);

comment on table analytics.project_conversations is
'The project of each conversation that names one, from app.conversations.project_id.';
comment on column analytics.project_conversations.id is 'Key of the link.';
comment on column analytics.project_conversations.project_id is 'The project in app.projects.';
comment on column analytics.project_conversations.conversation_id is 'The conversation; it has one project at most.';
comment on column analytics.project_conversations.added_at is
'When the conversation came to the project, as far as its own times tell: created_at where no tick saw it come, else '
'the updated_at that the tick found.';
comment on column analytics.project_conversations.added_by is
'The user the project belonged to when the link was written: not who made it. Null: that user is deleted.';

create view analytics.conversations_per_project as
select
    project_id,
    count(*) as conversations,
    max(added_at) as last_added_at
from analytics.project_conversations
group by project_id;

comment on view analytics.conversations_per_project is 'How many conversations each project has; none: no row.';
comment on column analytics.conversations_per_project.project_id is 'The project.';
comment on column analytics.conversations_per_project.conversations is 'How many conversations name it.';
comment on column analytics.conversations_per_project.last_added_at is 'When the last of them was added.';

create view analytics.projects_this_week as
select
    link.project_id,
    project.name as project_name,
    link.conversation_id,
    conversation.channel,
    conversation.subject,
    link.added_at,
    link.added_by,
    owner.name as added_by_name
from analytics.project_conversations as link
inner join app.projects as project on project.id = link.project_id
inner join app.conversations as conversation on conversation.id = link.conversation_id
left join app.users as owner on owner.id = link.added_by
where link.added_at >= date_trunc('week', now() at time zone 'UTC') at time zone 'UTC';

comment on view analytics.projects_this_week is 'Conversations that came to a project since Monday, 00:00 UTC.';
comment on column analytics.projects_this_week.project_id is 'The project.';
comment on column analytics.projects_this_week.project_name is 'The project''s name.';
comment on column analytics.projects_this_week.conversation_id is 'The conversation.';
comment on column analytics.projects_this_week.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.projects_this_week.subject is 'The subject, of an e-mail thread.';
comment on column analytics.projects_this_week.added_at is 'When it came to the project.';
comment on column analytics.projects_this_week.added_by is 'The user the project belonged to then.';
comment on column analytics.projects_this_week.added_by_name is 'That user''s name.';

create table analytics.project_link_inconsistencies (
    project_id uuid not null references app.projects on delete cascade,
    conversation_id uuid not null,
    kind text not null check (kind in ('stale_id', 'project_mismatch', 'missing_from_array')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    named_project_id uuid,
    primary key (project_id, conversation_id, kind)
);
create index project_link_inconsistencies_conversation_id
on analytics.project_link_inconsistencies (conversation_id);

comment on table analytics.project_link_inconsistencies is
'Where the deprecated app.projects.conversation_ids disagrees with app.conversations.project_id, as of now.';
comment on column analytics.project_link_inconsistencies.project_id is 'The project with the array.';
comment on column analytics.project_link_inconsistencies.conversation_id is 'The conversation, which need not exist.';
comment on column analytics.project_link_inconsistencies.kind is
'stale_id: in the array, but there is no such conversation; project_mismatch: in the array, but the conversation names '
'another project or none; missing_from_array: the conversation names the project, the array lacks it.';
comment on column analytics.project_link_inconsistencies.first_seen_at is 'When a refresh first found it.';
comment on column analytics.project_link_inconsistencies.last_seen_at is 'When a refresh last looked and it was there.';
comment on column analytics.project_link_inconsistencies.named_project_id is
'The project that the conversation names; null: it names none, or does not exist.';

create view analytics.lead_open_conversations as
select
    conversation.lead_id,
    conversation.id as conversation_id,
    conversation.channel,
    owner.client_id,
    conversation.crew_id,
    conversation.project_id,
    conversation.started_at,
    summary.ended_at,
    coalesce(summary.message_count, 0) as message_count,
    coalesce(summary.inbound_count, 0) as inbound_count,
    coalesce(summary.outbound_count, 0) as outbound_count,
    summary.first_response_seconds
from app.conversations as conversation
inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
left join analytics.conversation_summaries as summary on summary.conversation_id = conversation.id
where conversation.lead_id is not null and conversation.closed_at is null;

comment on view analytics.lead_open_conversations is
'The open conversation of each lead, whether it has messages or not: at most one, which a unique index sees to.';
comment on column analytics.lead_open_conversations.lead_id is 'The lead.';
comment on column analytics.lead_open_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_open_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_open_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_open_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_open_conversations.project_id is 'The project that it names.';
comment on column analytics.lead_open_conversations.started_at is 'When it was started.';
comment on column analytics.lead_open_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_open_conversations.message_count is 'All messages.';
comment on column analytics.lead_open_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_open_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_open_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered.';

create view analytics.lead_conversations as
select
    lead_id,
    conversation_id,
    channel,
    client_id,
    crew_id,
    project_id,
    started_at,
    ended_at,
    closed_at,
    message_count,
    inbound_count,
    outbound_count,
    first_response_seconds
from analytics.conversation_summaries
where lead_id is not null;

comment on view analytics.lead_conversations is
'The conversations with messages that name a lead; order them by started_at.';
comment on column analytics.lead_conversations.lead_id is 'The lead.';
comment on column analytics.lead_conversations.conversation_id is 'The conversation.';
comment on column analytics.lead_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.lead_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.lead_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.lead_conversations.project_id is 'The project that it names.';
comment on column analytics.lead_conversations.started_at is 'Time of the first message.';
comment on column analytics.lead_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.lead_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.lead_conversations.message_count is 'All messages.';
comment on column analytics.lead_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.lead_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.lead_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered.';

create view analytics.customer_conversations as
select
    customer_id,
    conversation_id,
    channel,
    client_id,
    crew_id,
    project_id,
    started_at,
    ended_at,
    closed_at,
    message_count,
    inbound_count,
    outbound_count,
    first_response_seconds
from analytics.conversation_summaries
where customer_id is not null;

comment on view analytics.customer_conversations is
'The conversations with messages that name a customer; order them by started_at.';
comment on column analytics.customer_conversations.customer_id is 'The customer.';
comment on column analytics.customer_conversations.conversation_id is 'The conversation.';
comment on column analytics.customer_conversations.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.customer_conversations.client_id is 'Whose conversation it is.';
comment on column analytics.customer_conversations.crew_id is 'The crew, if it is a crew''s.';
comment on column analytics.customer_conversations.project_id is 'The project that it names.';
comment on column analytics.customer_conversations.started_at is 'Time of the first message.';
comment on column analytics.customer_conversations.ended_at is 'Time of the last message so far.';
comment on column analytics.customer_conversations.closed_at is 'When it was closed; null while it is open.';
comment on column analytics.customer_conversations.message_count is 'All messages.';
comment on column analytics.customer_conversations.inbound_count is 'Messages from outside.';
comment on column analytics.customer_conversations.outbound_count is 'Messages to outside.';
comment on column analytics.customer_conversations.first_response_seconds is
'Seconds to the first answer; null while unanswered.';

create view analytics.client_names as
select
    id as client_id,
    client_code,
    name as client_name,
    is_active
from app.clients;

comment on view analytics.client_names is 'What each client is called.';
comment on column analytics.client_names.client_id is 'The client.';
comment on column analytics.client_names.client_code is 'Its code.';
comment on column analytics.client_names.client_name is 'Its name.';
comment on column analytics.client_names.is_active is 'Whether its crews are read.';

create view analytics.crew_names as
select
    id as crew_id,
    crew_code,
    name as crew_name,
    client_id,
    is_active
from app.crews;

comment on view analytics.crew_names is 'What each crew is called.';
comment on column analytics.crew_names.crew_id is 'The crew.';
comment on column analytics.crew_names.crew_code is 'Its code.';
comment on column analytics.crew_names.crew_name is 'Its name.';
comment on column analytics.crew_names.client_id is 'Its client now.';
comment on column analytics.crew_names.is_active is 'Whether it is read.';

create view analytics.project_names as
select
    id as project_id,
    name as project_name,
    user_id
from app.projects;

comment on view analytics.project_names is 'What each project is called.';
comment on column analytics.project_names.project_id is 'The project.';
comment on column analytics.project_names.project_name is 'Its name.';
comment on column analytics.project_names.user_id is 'Whose it is.';

create view analytics.person_names as
select
    id as person_id,
    client_id,
    name as person_name,
    email,
    phone,
    linkedin_urn
from app.people;

comment on view analytics.person_names is 'Who each person is. Personal data.';
comment on column analytics.person_names.person_id is 'The person.';
comment on column analytics.person_names.client_id is 'The person''s client.';
comment on column analytics.person_names.person_name is 'The person''s name.';
comment on column analytics.person_names.email is 'E-mail address in the person''s record.';
comment on column analytics.person_names.phone is 'Phone number in the person''s record.';
comment on column analytics.person_names.linkedin_urn is 'LinkedIn profile in the person''s record.';

create view analytics.contact_method_values as
select
    id as contact_method_id,
    kind,
    value,
    person_id
from app.contact_methods;

comment on view analytics.contact_method_values is 'What each contact method is. Personal data.';
comment on column analytics.contact_method_values.contact_method_id is 'The contact method.';
comment on column analytics.contact_method_values.kind is 'email, phone or linkedin.';
comment on column analytics.contact_method_values.value is
'The address, number or profile, as the application spells it.';
comment on column analytics.contact_method_values.person_id is
'Whose it is, by the application''s word; see participant_resolutions.';

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
'Columns of app that ticks and backfills read by, but that lead no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that helps.';

create table analytics.alerts (
    source text not null,
    kind text not null,
    subject text not null,
    found text not null,
    remedy text not null,
    link text,
    since timestamptz not null default now(),
    ended_at timestamptz,
    told_at timestamptz,
    failed_deliveries integer not null default 0,
    last_error text,
    primary key (source, kind, subject)
);

comment on table analytics.alerts is
'What is not as it should be, who has been told, and whether that succeeded; rows go once their end has been told.';
comment on column analytics.alerts.source is 'Who noticed: health, runs or checks.';
comment on column analytics.alerts.kind is 'What is wrong.';
comment on column analytics.alerts.subject is 'With which table, crew, job or check.';
comment on column analytics.alerts.found is 'How much, or how many.';
comment on column analytics.alerts.remedy is 'What to do.';
comment on column analytics.alerts.link is 'Where the UI shows it; null: DAGSTER_UI_URL is not set.';
comment on column analytics.alerts.since is 'Since when.';
comment on column analytics.alerts.ended_at is 'When it was over; null: it is not.';
comment on column analytics.alerts.told_at is 'When somebody was last told that it is so; null: not yet.';
comment on column analytics.alerts.failed_deliveries is 'How often in a row telling failed.';
comment on column analytics.alerts.last_error is 'Why the last delivery failed.';

create table analytics.webhook_refreshes (
    id bigint generated always as identity primary key,
    table_name text not null,
    sessions bigint not null,
    inserted bigint not null,
    updated bigint not null,
    deleted bigint not null,
    noted_at timestamptz not null default now()
);

comment on table analytics.webhook_refreshes is
'What the webhook did to each table, noted once a minute; rows go after a week.';
comment on column analytics.webhook_refreshes.id is 'In the order in which it was noted.';
comment on column analytics.webhook_refreshes.table_name is 'The derived table.';
comment on column analytics.webhook_refreshes.sessions is 'Sessions that were asked for.';
comment on column analytics.webhook_refreshes.inserted is 'Rows inserted for them.';
comment on column analytics.webhook_refreshes.updated is 'Rows updated for them.';
comment on column analytics.webhook_refreshes.deleted is 'Rows deleted for them.';
comment on column analytics.webhook_refreshes.noted_at is 'When it was noted.';
