-- Names instead of oids.


-- Deletions and crashes.

-- A snapshot from before a crash of the server must not become a watermark.
create unlogged table analytics.crash_token (
    is_the_one boolean primary key default true check (is_the_one),
    token uuid not null default gen_random_uuid()
);

comment on table analytics.crash_token is
'One row, until the server crashes: recovery empties an unlogged table. A snapshot that was taken before a crash must not '
'become a watermark, because transaction ids whose commit was lost are given out again. Internal.';
comment on column analytics.crash_token.is_the_one is 'Always true.';
comment on column analytics.crash_token.token is 'Random: another one after each crash.';

-- Sessions are told apart by their bytes, whatever the collation of the column.
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

-- A deleted conversation comes back with messages that the deleting transaction did not see, whenever they are read.
alter table analytics.session_changes add column xids xid8[];
comment on column analytics.session_changes.xids is
'Of a retry: the transactions that wrote to the session; null: that of xid.';
alter table analytics.conversation_changes
add column snapshot pg_snapshot,
add column xids xid8[];
comment on column analytics.conversation_changes.snapshot is
'Of a crew''s conversation that was deleted or updated: what the transaction saw then.';
comment on column analytics.conversation_changes.xids is
'Of a session: the transactions that wrote its new messages; null: it has none. Of a deletion that is logged again: '
'the transaction that deleted the conversation.';
alter table analytics.deleted_conversations
add column snapshot pg_snapshot,
add column xid xid8;
comment on column analytics.deleted_conversations.snapshot is
'What the transaction that deleted it saw: messages that are not visible in it are new. Null: unknown, every message '
'that is read from now on is new.';
comment on column analytics.deleted_conversations.xid is
'The transaction that deleted it, whose own messages are not new; null: unknown.';


create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return since is null or xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

-- The deletions of sessions' conversations: those that are recorded, and those in the unread rows of the log. A truncation
-- deleted the conversations of all sessions but those that were found since.
create function analytics.deletions(unread_since pg_snapshot) returns table (
    crew_id uuid, session_id text, snapshot pg_snapshot, xid xid8, deleted_at timestamptz, is_recorded boolean
)
language sql stable
as $$
    select crew_id, session_id, snapshot, xid, deleted_at, true
    from analytics.deleted_conversations
    union all
    select change.crew_id, change.session_id, change.snapshot, coalesce(change.xids[1], change.xid), change.logged_at, false
    from analytics.conversation_changes as change
    where analytics.is_unread(change.xid, unread_since)
        and change.source = 'conversations' and change.operation in ('delete', 'update')
        and change.crew_id is not null and change.session_id is not null
    union all
    select day.crew_id, day.session_id, truncation.snapshot, truncation.xid, truncation.logged_at, false
    from analytics.conversation_changes as truncation
    cross join analytics.histories_sessions as day
    where analytics.is_unread(truncation.xid, unread_since)
        and truncation.source = 'conversations' and truncation.operation = 'truncate'
        and not exists (
            select from analytics.conversation_changes as change
            where analytics.is_unread(change.xid, unread_since)
                and change.crew_id = day.crew_id and change.session_id = day.session_id
                and (
                    change.source = 'histories_sessions'
                    and change.operation = 'insert' and change.activity_date = day.activity_date
                    or change.source = 'crew_conversations retry'
                )
        )
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

-- So far, messages were new if they were read after the deletion. Rows keep their xid.
update analytics.conversation_changes
set xids = array[xid]
where source in ('histories_sessions', 'crew_conversations retry') and operation = 'insert';
update analytics.conversation_changes
set snapshot = pg_current_snapshot()
where source = 'conversations' and operation in ('delete', 'update', 'truncate');
delete from analytics.deleted_conversations as target
using analytics.conversation_changes as change
where change.xids is not null
    and change.crew_id = target.crew_id
    and change.session_id = target.session_id
    and change.logged_at >= target.deleted_at;
update analytics.deleted_conversations
set
    snapshot = pg_current_snapshot(),
    xid = pg_current_xact_id();


-- Refused rows.


-- Capture.
