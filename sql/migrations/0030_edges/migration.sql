-- Names instead of oids.


-- Deletions and crashes.


-- Refused rows.


-- Capture.

drop function analytics.source_tables(text);
-- The tables that the pipeline reads, or one of them: their kind, whether they are captured, and an identity that changes
-- whenever rows may have come or gone without a trigger; has_others: it has triggers of ours that are no longer wanted. If one
-- table is asked for, no other table's triggers are read.
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, has_others boolean, identity text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive named as (
        select distinct
            crew.histories_table_name::text as name, true as is_histories, 'log_sessions' as log_function, 'app' as schema_name
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and crew.histories_table_name not in (
            'clients', 'crews', 'people', 'contact_methods', 'conversations', 'messages', 'message_recipients', 'projects',
            'participant_decisions'
        )
        union all
        select wanted.name, false, wanted.log_function, 'app'
        from (
            values
            ('clients', 'log_identifiers'), ('crews', 'log_identifiers'), ('people', 'log_identifiers'),
            ('contact_methods', 'log_identifiers'), ('conversations', 'log_conversations'), ('messages', 'log_messages'),
            ('message_recipients', 'log_recipients'), ('projects', 'log_projects')
        ) as wanted (name, log_function)
        union all
        select 'participant_decisions', false, 'log_identifiers', 'curation'
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
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of, case when class.oid = to_regclass('app.projects') and not exists (
                select from pg_attribute as attribute
                where attribute.attrelid = class.oid and attribute.attname = 'conversation_ids'
            ) then 'without conversation_ids' end) as identity,
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
        coalesce(described.identity, 'absent')
    from roots
    left join described on described.name = roots.name
$$;

-- Locks a table and its partitions, without making a transaction of the application the victim of a deadlock: it waits only
-- for the table, while nothing is locked yet, and shorter than deadlock_timeout. Partitions are locked at once or not at all.
create function analytics.lock_source(source regclass, mode text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    longest_wait interval := least('150 ms', current_setting('deadlock_timeout')::interval / 2);
begin
    perform set_config('lock_timeout', greatest(1, floor(extract(epoch from longest_wait) * 1000))::text, true);
    execute format('lock table only %s in %s mode', source, mode);
    execute format('lock table %s in %s mode nowait', source, mode);
end
$$;
revoke all on function analytics.lock_source(regclass, text) from public;

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

-- A row that an update moves to another partition fires BEFORE UPDATE, then BEFORE DELETE where it was, and AFTER INSERT where it
-- goes. So a row trigger learns of deletions before them: that of the row which was last to be updated is an update.
create or replace function analytics.log_sessions() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    operation text := lower(tg_op);
    sessions text[];
    days date[];
begin
    if tg_when = 'BEFORE' and tg_op = 'UPDATE' then
        perform set_config('convo_pipelines.updated', concat(old.tableoid, old.ctid), true);
        return new;
    elsif tg_when = 'BEFORE' and current_setting('convo_pipelines.updated', true) = concat(old.tableoid, old.ctid) then
        operation := 'update';
    end if;
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
        operation := case when operation = 'delete' then 'truncate' else 'everything' end;
    end;
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.session_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.session_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return old;
    end if;
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
    return old;
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
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.conversation_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.conversation_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
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
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.conversation_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.conversation_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
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
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.message_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.message_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
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
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.identifier_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.identifier_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
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
    if not (case
        when has_schema_privilege('analytics', 'usage') then has_table_privilege('analytics.project_changes', 'insert')
        else false
    end) then
        raise warning '% may not write analytics.project_changes: every table will be read again', current_user;
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    insert into analytics.project_changes (project_id, operation) select key, operation
    from unnest(keys) as key
    where key is not null or operation in ('everything', 'truncate');
    return null;
end
$$;

create or replace function curation.check_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    may_name_others boolean := has_table_privilege(session_user, 'curation.participant_decisions', 'insert');
begin
    if tg_op = 'INSERT' then
        if not may_name_others then
            new.decided_by := session_user;
        end if;
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
        new.revoked_by := case when may_name_others then coalesce(new.revoked_by, session_user) else session_user end;
    end if;
    return new;
end
$$;

alter table analytics.capture_state add column retry_at timestamptz;
update analytics.capture_state set retry_at = now() where not is_settled;
alter table analytics.capture_state drop column is_settled;
comment on column analytics.capture_state.retry_at is
'When the triggers are tried again, because another session had locked the table: after a minute, then after twice as '
'long each time, up to an hour; null: they need not be.';

comment on table analytics.capture_state is
'The tables that the pipeline reads, and whether their changes are logged. Internal.';
comment on column analytics.capture_state.table_name is 'The table in app; participant_decisions: in curation.';

comment on column curation.participant_decisions.decided_by is
'The user who made the decision; if it is a steward, the role of the session, whatever was given.';
comment on column curation.participant_decisions.revoked_by is
'The user who revoked the decision, by the same rule; null while it is in force.';
