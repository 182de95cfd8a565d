-- The triggers that write the change logs. A trigger reads no other table. It collects keys inside an exception block without
-- writing, so that no statement of the application fails or uses another transaction id, and logs "everything of this table"
-- where it could not. If the log cannot be written, the statement succeeds all the same, and the transaction leaves a mark
-- that needs no privilege, by which the next look learns to read everything: an empty large object with one of the last oids.

-- Most statements change one row (is_single), without moving it to another key. That key travels in variables, which is twice as
-- fast as arrays. "limit 1" keeps the plan cheap in a session whose first statement changed millions of rows.

-- A row that an update moves to another partition fires BEFORE UPDATE, then BEFORE DELETE where it was, and AFTER INSERT where it
-- goes. So a row trigger learns of deletions before them: that of the row which was last to be updated is an update.
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
    operations text[];  -- of an update's keys
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
            if operation = 'update' and (sessions[1] collate "C", days[1]) is distinct from (sessions[2], days[2]) then
                operations := array['move'];  -- of the first key
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
                select array_agg(session_id), array_agg(day), array_agg(change) into sessions, days, operations from (
                    select
                        session_id,
                        day,
                        case when sum(change) >= 0 then 'update' when bool_or(is_hidden) then 'delete' else 'move' end as change
                    from (  -- of a view, row by row: an update may hide some and move others
                        select session_id, day, sum(change) as change, sum(sum(change)) over (partition by row_number) < 0 as is_hidden
                        from (
                            select
                                session_id::text collate "C" as session_id, (created_at at time zone 'UTC')::date as day, -1 as change,
                                0 as row_number from old_rows
                            union all
                            select
                                session_id::text collate "C", (created_at at time zone 'UTC')::date, 1,
                                0 as row_number from new_rows
                        ) as sides
                        group by session_id, day, row_number
                    ) as counted
                    group by session_id, day
                ) as changed;
            end if;
        else
            sessions := array[null]::text[];
            days := array[null]::date[];
        end if;
    exception when others or assert_failure then
        sessions := array[null]::text[];
        days := array[null]::date[];
        operations := null;
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
                when operation in ('everything', 'truncate') then operation
                when changed.session_id is null or changed.day is null then 'unusable'
                else coalesce(changed.change, operation)
            end
        from unnest(sessions, days, operations) as changed (session_id, day, change);
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
                select
                    array_agg(id), array_agg(crew_id), array_agg(session_id),
                    count(*) > least((select count(*) from old_rows), (select count(*) from new_rows))
                into conversations, crews, sessions, is_any_moved
                from (
                    select id, crew_id, session_id, project_id from old_rows
                    union
                    select id, crew_id, session_id, project_id from new_rows
                ) as changed;
                if is_any_moved then
                    select array_agg(id), array_agg(project_id) into moved, projects from (
                        (select id, project_id from new_rows except select id, project_id from old_rows)
                        union all
                        select id, null from old_rows  -- a view does not show it any more
                        where project_id is not null and not exists (select from new_rows where new_rows.id = old_rows.id)
                    ) as changed;
                end if;
            end if;
        else
            conversations := array[null]::uuid[];
        end if;
    exception when others or assert_failure then
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
        cross join current_setting('convo.actor', true) as actor
        where changed.id is not null;
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

-- The other logs take one key of each row; these functions differ in names only. A key that only one of both sides of an update
-- has, because it changed or because a view shows the row only then, came or went.
-- makes: analytics.log_messages, analytics.log_recipients, analytics.log_identifiers, analytics.log_projects
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
    operations text[];  -- of an update's keys
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
                select array_agg(key), array_agg(change) into keys, operations from (
                    select
                        key,
                        case when bool_and(is_new) then 'insert' when bool_or(is_new) then 'update' else 'delete' end as change
                    from (select %2$I as key, false as is_new from old_rows union all select %2$I, true from new_rows) as sides
                    group by key
                ) as changed;
            end if;
        else
            keys := array[null]::uuid[];
        end if;
    exception when others or assert_failure then
        keys := array[null]::uuid[];
        operations := null;
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
        insert into analytics.%3$I (%5$s%4$I, operation) select %6$skey, coalesce(change, operation)
        from unnest(keys, operations) as changed (key, change)
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
