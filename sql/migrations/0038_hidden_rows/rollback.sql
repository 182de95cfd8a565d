-- The function of before.
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
                if (select count(*) from new_rows) < (select count(*) from old_rows) then  -- rows left the view that is captured
                    operation := 'delete';
                end if;
            end if;
        else
            sessions := array[null]::text[];
            days := array[null]::date[];
        end if;
    exception when others or assert_failure then
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
