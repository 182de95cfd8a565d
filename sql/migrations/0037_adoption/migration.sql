-- Views over the owner's tables: keys as uuids, and capture on the tables beneath.
-- Keys of the owner's tables as uuids, for views in app. They are immutable, so that an index on the expression serves lookups.
create or replace function analytics.uuid_of(key bigint) returns uuid
language sql immutable strict parallel safe
return lpad(to_hex(key), 32, '0')::uuid;
comment on function analytics.uuid_of(bigint) is 'The uuid of an integer key. `analytics.bigint_of` is its inverse.';

create or replace function analytics.bigint_of(key uuid) returns bigint
language sql immutable strict parallel safe
return ('x' || right(replace(key::text, '-', ''), 16))::bit(64)::bigint;
comment on function analytics.bigint_of is 'The integer key of a uuid of `analytics.uuid_of(bigint)`.';

create or replace function analytics.uuid_of(kind text, key text) returns uuid
language sql immutable strict parallel safe
return md5(kind || ':' || key)::uuid;
comment on function analytics.uuid_of(text, text) is
'The uuid of a key of any type, written as text; by a hash. Keys of different kinds have different uuids.';

create table analytics.adopted_views (
    table_name text primary key,
    view_oid oid not null,
    base_oid oid,
    base_name text,
    views oid[] not null,
    definitions text not null,
    function_name text,
    check ((base_oid is null) = (function_name is null) and (base_oid is null) = (base_name is null))
);

comment on table analytics.adopted_views is
'Views in app that show the owner''s tables, and are captured on these. `convo-pipelines adopt` writes it. Internal.';
comment on column analytics.adopted_views.table_name is 'The view in app.';
comment on column analytics.adopted_views.view_oid is 'Its oid.';
comment on column analytics.adopted_views.base_oid is 'The table beneath; null: there is none, the view shows constants.';
comment on column analytics.adopted_views.base_name is 'The schema and name that it had.';
comment on column analytics.adopted_views.views is 'The oids of the view, and of the views that it reads.';
comment on column analytics.adopted_views.definitions is 'A hash of their definitions.';
comment on column analytics.adopted_views.function_name is 'The trigger function that logs what the view shows of changed rows.';
create table analytics.released_views (
    number int primary key,
    table_name text not null,
    statements text not null
);

comment on table analytics.released_views is
'Views in app that `convo-pipelines adopt release` dropped, so that the tables beneath can be altered; '
'`convo-pipelines adopt restore` makes them again. Internal.';
comment on column analytics.released_views.number is 'The order in which they are made.';
comment on column analytics.released_views.table_name is 'The view in app.';
comment on column analytics.released_views.statements is 'What makes it, its comment, its owner and the rights on it.';

-- A hash of the definitions of views.
create function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(pg_get_viewdef(view), ' ' order by view)) from unnest(views) as view
$$;

drop function analytics.source_tables(text);
drop function analytics.drop_triggers(regclass);

-- The tables that the pipeline reads, or one of them: their kind, whether they are captured, and an identity that changes
-- whenever rows may have come or gone without a trigger; has_others: it has triggers of ours that are no longer wanted. If one
-- table is asked for, no other table's triggers are read. A view that was adopted is captured on the table beneath, by triggers
-- whose names end with the view's oid.
create function analytics.source_tables(only_name text default null) returns table (
    name text, is_histories boolean, log_function text, table_oid oid, members oid[],
    obstacle text, is_fed boolean, is_captured boolean, has_others boolean, identity text, columns text,
    base_oid oid, function_name text, suffix text
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
                '{id, contact_method_id, identifier, person_id, decision, revoked_at}'
            )
        ) as wanted (name, log_function, schema_name, reads)
    ),
    roots as (
        select
            named.*,
            found.oid as table_oid,
            adopted.view_oid is not null as is_adopted,
            adopted.base_oid,
            adopted.definitions,
            coalesce(adopted.function_name, named.log_function) as function_name,
            case when adopted.view_oid is not null then '_' || adopted.view_oid else '' end as suffix,
            case
                when to_regclass(adopted.base_name)::oid is distinct from adopted.base_oid
                    then 'it reads the table that was ' || adopted.base_name
                    || ' before that was exchanged: run `convo-pipelines adopt release` and `convo-pipelines adopt restore`'
                when analytics.definitions_of(adopted.views) is distinct from adopted.definitions
                    then 'its definition has changed: run `convo-pipelines adopt install`'
            end as change
        from named
        cross join lateral to_regclass(format('%I.%I', named.schema_name, named.name)) as regclass (oid)
        cross join lateral (select regclass.oid::oid) as found (oid)
        left join analytics.adopted_views as adopted on adopted.table_name = named.name and adopted.view_oid = found.oid
        where only_name is null or named.name = only_name
    ),
    members (name, oid) as (
        select roots.name, coalesce(roots.base_oid, roots.table_oid) from roots
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
            members.name,
            trigger.tgrelid,
            array_agg(trigger.tgname::text) filter (where trigger.tgenabled = 'A') as names,
            array_agg(trigger.tgname::text) as all_names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from pg_trigger as trigger
        inner join members on members.oid = trigger.tgrelid
        inner join roots on roots.name = members.name
        where trigger.tgname ~ ('^convo_pipelines_[a-z]+' || roots.suffix || '$')
        group by members.name, trigger.tgrelid
    ),
    files as (
        select
            members.name,
            class.oid,
            class.relkind,
            concat_ws(
                ':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of, roots.definitions
            ) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            coalesce(capturing.all_names, array[]::text[]) as all_triggers,
            bool_or(
                fed.srrelid is not null
                or members.oid = coalesce(roots.base_oid, roots.table_oid) and parents.oid is not null
            )
            over (partition by members.name) as is_fed
        from members
        inner join roots on roots.name = members.name
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing on capturing.name = members.name and capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
    ),
    wanting as (
        select
            files.*,
            array(
                select 'convo_pipelines_' || wanted.name || roots.suffix
                from unnest(
                    array['truncate'] || case
                        when not files.is_fed then array['insert', 'update', 'delete']
                        when files.relkind <> 'r' then array[]::text[]
                        when roots.is_histories then array['row', 'before']
                        else array['row']
                    end
                ) as wanted (name)
                where files.relkind <> 'v'
            ) as wanted,
            coalesce(
                roots.change,
                case when roots.base_oid is not null and files.is_fed then 'the table beneath is fed by replication or a parent' end,
                case when files.relkind in ('v', 'm') and not roots.is_adopted then 'it is a view that is not adopted' end
            ) as change
        from files
        inner join roots on roots.name = files.name
    ),
    described as (
        select
            files.name,
            array_agg(files.oid order by files.oid) as members,
            case
                when bool_or(files.change is not null) then min(files.change)
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
        case when roots.base_oid is not null then array[roots.table_oid] else described.members end,
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
        ),
        coalesce(roots.base_oid, roots.table_oid),
        roots.function_name,
        roots.suffix
    from roots
    left join described on described.name = roots.name
$$;

-- A table, its partitions and its children.
create function analytics.members_of(source oid) returns oid[]
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive members (oid) as (
        select source
        union
        select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
    )
    select array_agg(members.oid) from members
$$;

-- Drops the triggers of one table, with this suffix.
create function analytics.drop_triggers(member regclass, suffix text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    trigger_name text;
begin
    for trigger_name in
        select tgname from pg_trigger
        where tgrelid = member and tgname ~ ('^convo_pipelines_[a-z]+' || suffix || '$') and tgparentid = 0
    loop
        execute format('drop trigger %I on %s', trigger_name, member);
    end loop;
end
$$;
revoke all on function analytics.drop_triggers(regclass, text) from public;

-- Creates the triggers on a table that the pipeline reads, and on all its partitions, unless they are there. Reads go on:
-- creating and replacing triggers needs a lock against writers only.
create or replace function analytics.capture(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known record;
    member record;
    definition text;
    base oid := coalesce((select base_oid from analytics.adopted_views where view_oid = source), source);
begin
    if exists (
        select from pg_class where oid = base and relkind in ('r', 'p')
            and (base <> source or relnamespace::regnamespace::text in ('app', 'curation'))
    ) then
        perform analytics.lock_source(base, 'share row exclusive');
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
        select class.oid::regclass as name, class.relkind as kind from pg_class as class
        where class.oid = any(analytics.members_of(base))
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
                'create or replace trigger convo_pipelines_' || regexp_replace(definition, ' ', known.suffix || ' ')
                || ' execute function analytics.%I(%s)',
                member.name, known.function_name, case when not known.is_histories then quote_literal(known.name) end
            );
        end loop;
        perform analytics.enable_triggers(member.name);
    end loop;
end
$$;
revoke all on function analytics.capture(regclass) from public;

-- Drops the triggers of a table and of all its partitions.
create or replace function analytics.release(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    suffix text := coalesce((select '_' || view_oid from analytics.adopted_views where view_oid = source), '');
    base oid := coalesce((select base_oid from analytics.adopted_views where view_oid = source), source);
    members oid[] := analytics.members_of(base);
begin
    if exists (
        select from pg_trigger where tgrelid = any(members) and tgname ~ ('^convo_pipelines_[a-z]+' || suffix || '$')
    ) then
        perform analytics.lock_source(base, 'access exclusive');
        perform analytics.drop_triggers(member::regclass, suffix) from unnest(members) as member;
    end if;
end
$$;
revoke all on function analytics.release(regclass) from public;

-- The other logs take one key of each row; these functions differ in names only. A key that only one of both sides of an update
-- has, because it changed or because a view shows the row only then, came or went.
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
    exception when others then
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
