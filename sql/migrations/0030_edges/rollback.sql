-- Every foreign key, as before; what refers to nothing goes.
update analytics.catalog_state set has_foreign_keys = true;

do $$
declare
    key record;
begin
    for key in select * from analytics.foreign_keys() where not is_right or not is_valid loop
        if key.obstacle is not null then
            raise exception 'app.% cannot have the foreign key %: %', key.parent, key.name, key.obstacle;
        end if;
        execute format(
            case key.on_delete when 'cascade' then 'delete from analytics.%1$I as child' else 'update analytics.%1$I as child set %2$I = null' end
            || ' where %2$I is not null and not exists (select from app.%3$I as parent where parent.id = child.%2$I)',
            key.child, key.column_name, key.parent
        );
        perform analytics.bind_foreign_key(key.name) where not key.is_right;
        execute format('alter table analytics.%I validate constraint %I', key.child, key.name);
    end loop;
end
$$;

-- Functions.

drop function analytics.lock_source(regclass, text);

drop function analytics.deletions(pg_snapshot);

drop function analytics.foreign_keys();

drop function analytics.bind_foreign_key(text);

drop function analytics.source_tables(text);
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

-- Creates the triggers on a table that the pipeline reads, and on all its partitions. Set lock_timeout before: writers queue
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

-- Drops the triggers of a table and of all its partitions.
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

-- The triggers that write the change logs. A trigger reads no other table. It collects keys inside an exception block without
-- writing, so that no statement of the application fails or uses another transaction id, and logs "everything of this table"
-- where it could not.
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
            else 'unusable'
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

create or replace function analytics.log_messages() returns trigger
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

create or replace function analytics.log_recipients() returns trigger
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

create or replace function analytics.log_identifiers() returns trigger
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

create or replace function analytics.log_projects() returns trigger
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

-- Not visible in a snapshot: PostgreSQL's own definition of "committed since". Both functions are inlined, so that the index on
-- xid can be used.
create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

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

-- Tables.

delete from analytics.capture_state where table_name in ('users', 'participant_decisions');
alter table analytics.capture_state drop column columns;

alter table analytics.catalog_state drop column has_foreign_keys;

drop table analytics.crash_token;

update analytics.conversation_changes
set operation = case when xids is null then 'update' else 'insert' end
where source in ('histories_sessions', 'crew_conversations retry');

alter table analytics.deleted_conversations
drop column snapshot,
drop column xid;

alter table analytics.conversation_changes
drop column snapshot,
drop column xids;

alter table analytics.session_changes drop column xids;

delete from analytics.oddities where asset_key = 'crew_conversations';

drop table analytics.refused_conversations;

-- In the former order of the columns.
alter table analytics.capture_state
add column is_settled boolean not null default true,
drop column changed_at;

alter table analytics.capture_state add column changed_at timestamptz not null default now();

update analytics.capture_state set is_settled = retry_at is null;

alter table analytics.capture_state drop column retry_at;
comment on column analytics.capture_state.is_settled is
'false: the table was locked by another session; capturing is retried.';
comment on column analytics.capture_state.changed_at is 'When this row last changed.';
comment on table analytics.capture_state is
'The tables of app that the pipeline reads, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.table_name is 'The table in app.';
comment on column curation.participant_decisions.decided_by is 'The user who made the decision.';
comment on column curation.participant_decisions.revoked_by is
'The user who revoked the decision; null while it is in force.';
