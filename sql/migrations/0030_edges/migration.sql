-- Tables.

-- Names instead of oids.
alter table analytics.catalog_state add column has_foreign_keys boolean not null default true;
comment on column analytics.catalog_state.has_foreign_keys is
'Whether tables of analytics have foreign keys to app; without them, ticks delete what refers to deleted rows.';

alter table analytics.capture_state add column columns text;
comment on column analytics.capture_state.columns is
'Number and type of each of its columns that is read. If they or the oid change, views and foreign keys are bound anew.';

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

-- What a rule of the application refuses.
create table analytics.refused_conversations (
    crew_id uuid not null,
    session_id text not null,
    refused_by text not null,
    refused_at timestamptz not null default clock_timestamp(),
    primary key (crew_id, session_id)
);
comment on table analytics.refused_conversations is
'Sessions whose conversation a rule of the application refuses: a constraint or trigger of app.conversations. They '
'are tried again when they change, and at each reconcile.';
comment on column analytics.refused_conversations.crew_id is 'The crew.';
comment on column analytics.refused_conversations.session_id is 'The session.';
comment on column analytics.refused_conversations.refused_by is
'The constraint, trigger or not-null column of app.conversations, or the error of PostgreSQL if it names none.';
comment on column analytics.refused_conversations.refused_at is 'When it was last tried.';

-- Locked tables are tried again later and later.
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

-- Functions.

drop function analytics.source_tables(text);
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
                '{id, contact_method_id, person_id, decision, revoked_at}'
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

-- The columns of analytics that refer to rows of the application, and their foreign keys. With a foreign key, rows vanish with
-- the row that they refer to; without one, at the next tick. One is wanted unless catalog_state says otherwise, and where the
-- table that it refers to can have one.
create function analytics.foreign_keys() returns table (
    name text, child text, column_name text, parent text, on_delete text,
    is_wanted boolean, is_right boolean, is_valid boolean, obstacle text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with wanted as (
        select
            format('%s_%s_fkey', given.child, given.column_name) as name,
            given.*,
            to_regclass('app.' || given.parent)::oid as parent_oid,
            (
                select attribute.attnotnull from pg_attribute as attribute
                where attribute.attrelid = to_regclass('analytics.' || given.child) and attribute.attname = given.column_name
            ) as is_required
        from (
            values
            ('client_activity_daily', 'client_id', 'clients'),
            ('clients_conversations', 'client_id', 'clients'),
            ('clients_conversations', 'conversation_id', 'conversations'),
            ('conversation_summaries', 'conversation_id', 'conversations'),
            ('crew_activity_daily', 'crew_id', 'crews'),
            ('crew_discovery_state', 'crew_id', 'crews'),
            ('deleted_conversations', 'crew_id', 'crews'),
            ('histories_sessions', 'crew_id', 'crews'),
            ('participant_resolutions', 'contact_method_id', 'contact_methods'),
            ('participant_resolutions', 'person_id', 'people'),
            ('people_conversations', 'conversation_id', 'conversations'),
            ('people_conversations', 'person_id', 'people'),
            ('project_conversations', 'added_by', 'users'),
            ('project_conversations', 'conversation_id', 'conversations'),
            ('project_conversations', 'project_id', 'projects'),
            ('project_link_inconsistencies', 'project_id', 'projects')
        ) as given (child, column_name, parent)
    ),
    possible as (
        select
            wanted.*,
            case
                when wanted.parent_oid is null then 'it does not exist'
                when class.relkind not in ('r', 'p') then 'it is not a table'
                when class.relpersistence <> 'p' then 'it is unlogged'
                when not has_table_privilege(binder.proowner, class.oid, 'references')
                    then format('its owner has not granted references on it to %s', binder.proowner::regrole)
                when not exists (
                    select from pg_index as index
                    inner join pg_attribute as attribute
                        on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
                    where index.indrelid = wanted.parent_oid
                        and attribute.attname = 'id'
                        and index.indnkeyatts = 1
                        and index.indisunique
                        and index.indisvalid
                        and index.indimmediate
                        and index.indpred is null
                ) then 'it has no unique key (id)'
            end as obstacle
        from wanted
        left join pg_class as class on class.oid = wanted.parent_oid
        left join pg_proc as binder on binder.oid = to_regprocedure('analytics.bind_foreign_key(text)')
    )
    select
        possible.name,
        possible.child,
        possible.column_name,
        possible.parent,
        case when possible.is_required then 'cascade' else 'set null' end,
        wished.is_wanted,
        case when wished.is_wanted then coalesce(key.confrelid = possible.parent_oid and id.attname = 'id', false) else key.oid is null end,
        coalesce(key.convalidated, false),
        case when state.has_foreign_keys then possible.obstacle end
    from possible
    cross join analytics.catalog_state as state
    cross join lateral (select state.has_foreign_keys and possible.obstacle is null as is_wanted) as wished
    left join pg_constraint as key
        on key.conrelid = to_regclass('analytics.' || possible.child) and key.conname = possible.name and key.contype = 'f'
    left join pg_attribute as id on id.attrelid = key.confrelid and id.attnum = key.confkey[1]
$$;
comment on function analytics.foreign_keys is
'The columns of analytics that refer to rows of the application: whether a foreign key is wanted, right and valid, or why there '
'can be none. Internal.';

-- Drops a foreign key that is not right, and adds it where it is wanted, not yet valid. It waits for its first lock, shorter
-- than deadlock_timeout; the others are taken at once or not at all, so that nobody waits for this in a circle.
create function analytics.bind_foreign_key(key_name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    key record;
    former regclass;
begin
    select * into key from analytics.foreign_keys() where name = key_name;
    if not found then
        raise exception '% is not a foreign key of the pipeline', key_name using errcode = 'insufficient_privilege';
    end if;
    if key.is_right then
        return;
    end if;
    select confrelid into former from pg_constraint
    where conrelid = to_regclass('analytics.' || key.child) and conname = key.name and contype = 'f';
    if former is not null then
        perform analytics.lock_source(former, 'access exclusive');
    end if;
    execute format('lock table analytics.%I in access exclusive mode nowait', key.child);
    perform set_config('lock_timeout', '1ms', true);
    execute format('alter table analytics.%I drop constraint if exists %I', key.child, key.name);
    if key.is_wanted then
        execute format(
            'alter table analytics.%I add constraint %I foreign key (%I) references app.%I (id) on delete %s not valid',
            key.child, key.name, key.column_name, key.parent, key.on_delete
        );
    end if;
end
$$;
revoke all on function analytics.bind_foreign_key(text) from public;

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

-- Not visible in a snapshot, or in none: PostgreSQL's own definition of "committed since". Both functions are inlined, so that
-- the index on xid can be used.
create or replace function analytics.is_unread(xid xid8, since pg_snapshot) returns boolean
language sql immutable parallel safe
return since is null or xid >= pg_snapshot_xmin(since) and not pg_visible_in_snapshot(xid, since);

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

-- Known tables are not read again.
update analytics.capture_state as state
set columns = source.columns
from analytics.source_tables() as source
where source.name = state.table_name and source.table_oid = state.table_oid;
