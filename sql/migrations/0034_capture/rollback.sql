-- The triggers that write the change logs. A trigger reads no other table. It collects keys inside an exception block without
-- writing, so that no statement of the application fails or uses another transaction id, and logs "everything of this table"
-- where it could not. If its owner may not write the log, the statement succeeds all the same, and the transaction leaves a mark
-- that needs no privilege, by which the next look learns to read everything: an empty large object with one of the last oids.

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
                select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day from new_rows
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select distinct session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day from old_rows
            ) as changed;
        else
            select array_agg(session_id), array_agg(day) into sessions, days from (
                select session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day from old_rows
                union
                select session_id::text collate "C", (created_at at time zone 'UTC')::date from new_rows
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
    moved uuid[];
    projects uuid[];
    is_any_moved boolean;
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
            if old.project_id is distinct from new.project_id then
                moved := array[coalesce(new.id, old.id)]; projects := array[new.project_id];
            end if;
        elsif tg_op = 'INSERT' then
            select
                array_agg(id), array_agg(crew_id), array_agg(session_id),
                array_agg(id) filter (where project_id is not null), array_agg(project_id) filter (where project_id is not null)
            into conversations, crews, sessions, moved, projects
            from new_rows;
        elsif tg_op = 'DELETE' then
            select array_agg(id), array_agg(crew_id), array_agg(session_id), array_agg(id) filter (where project_id is not null)
            into conversations, crews, sessions, moved
            from old_rows;
        else
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
    insert into analytics.conversation_changes (source, conversation_id, crew_id, session_id, operation, snapshot)
    select
        tg_argv[0],
        changed.id,
        changed.crew_id,
        changed.session_id,
        operation,
        case when tg_op = 'TRUNCATE' or tg_op <> 'INSERT' and changed.crew_id is not null then pg_current_snapshot() end
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
