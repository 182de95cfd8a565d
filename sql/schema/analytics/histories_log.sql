-- The change log of the histories tables, which all have one shape: sessions and UTC days of their rows.
create table analytics.session_changes (
    table_oid oid not null,
    session_id text,
    activity_date date,
    operation text not null,
    xid xid8 not null default pg_current_xact_id(),
    logged_at timestamptz not null default now(),
    xids xid8[]
) with (vacuum_truncate = off);
create index session_changes_xid on analytics.session_changes (xid);
create index session_changes_deletions on analytics.session_changes (table_oid, xid)
where operation in ('delete', 'move', 'truncate');
create index session_changes_everything on analytics.session_changes (xid)
where operation in ('everything', 'truncate');
alter table analytics.session_changes replica identity full;

comment on table analytics.session_changes is
'Change log of the histories tables: the sessions and days that each transaction wrote to. Internal.';
comment on column analytics.session_changes.table_oid is 'The histories table, or one of its partitions.';
comment on column analytics.session_changes.session_id is
'The session. With operation everything: start after this session of the day. Null: see operation. Personal data.';
comment on column analytics.session_changes.activity_date is
'UTC day of the rows. With operation everything: read from this day on, null: all days.';
comment on column analytics.session_changes.operation is
'insert, update or delete; move: an update gave rows of it another session or day; everything: read the whole table '
'again; truncate: the same, and rows were deleted; unusable: rows without a session id or a time, which are left out.';
comment on column analytics.session_changes.xid is 'The transaction that changed it.';
comment on column analytics.session_changes.logged_at is 'When that transaction began.';
comment on column analytics.session_changes.xids is
'Of a retry: the transactions that wrote to the session; null: that of xid.';

-- Logs changes of a histories table; see log_triggers.sql.
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
