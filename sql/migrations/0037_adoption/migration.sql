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
return md5(length(kind)::text || ':' || kind || ':' || key)::uuid;
comment on function analytics.uuid_of(text, text) is
'The uuid of a key of any type, written as text; by a hash. Keys of different kinds have different uuids.';

create table analytics.adopted_views (
    view_oid oid primary key,
    table_name text not null,
    views oid[] not null,
    definitions text not null
);

comment on table analytics.adopted_views is
'Views in app that show the owner''s tables, and are captured on these. `convo-pipelines adopt` writes it. Internal.';
comment on column analytics.adopted_views.view_oid is 'The view.';
comment on column analytics.adopted_views.table_name is 'Its name in app.';
comment on column analytics.adopted_views.views is 'The view, and the views that it reads.';
comment on column analytics.adopted_views.definitions is 'A hash of their definitions.';

create table analytics.adopted_tables (
    view_oid oid not null references analytics.adopted_views on delete cascade,
    number int not null,
    table_oid oid not null,
    known_name text not null,
    function_name text not null,
    primary key (view_oid, number)
);

comment on table analytics.adopted_tables is 'The tables beneath adopted views. Internal.';
comment on column analytics.adopted_tables.view_oid is 'The view.';
comment on column analytics.adopted_tables.number is '0: the table whose rows it shows; others: tables that are joined to it.';
comment on column analytics.adopted_tables.table_oid is 'The table.';
comment on column analytics.adopted_tables.known_name is 'Its schema and name, quoted, when the view was adopted.';
comment on column analytics.adopted_tables.function_name is
'The trigger function: it logs what the view shows of changed rows, or everything if columns that the view reads of a joined '
'table change.';

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

-- A hash of the definitions of views, and of the functions that they call.
create function analytics.definitions_of(views oid[]) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select md5(string_agg(definition, ' ' order by object)) from (
        select view as object, pg_get_viewdef(view) as definition from unnest(views) as view
        union
        select function.oid, concat(function.provolatile, function.prosrc, function.prosqlbody::text, function.probin)
        from pg_rewrite as rule
        inner join pg_depend as depend
            on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid and depend.refclassid = 'pg_proc'::regclass
        inner join pg_proc as function on function.oid = depend.refobjid
        where rule.ev_class = any(views)
    ) as definitions
$$;

drop function analytics.source_tables(text);
drop function analytics.drop_triggers(regclass);

-- The tables on which a source is captured, without their partitions: itself, or those beneath an adopted view; known_name: the
-- schema and name that such a table had.
create function analytics.tables_beneath(source oid, log_function text) returns table (
    oid oid, function_name text, suffix text, known_name text
)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select
        beneath.table_oid,
        beneath.function_name,
        concat_ws('_', '', source, nullif(beneath.number, 0)),
        beneath.known_name
    from analytics.adopted_tables as beneath
    where beneath.view_oid = source
    union all
    select source, log_function, '', null
    where source not in (select adopted_views.view_oid from analytics.adopted_views)
$$;

-- A table, its partitions and its children.
create function analytics.members_of(source oid) returns setof oid
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive members (oid) as (
        select source
        union
        select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
    )
    select members.oid from members
$$;

-- The tables that the pipeline reads, or one of them: their kind, whether they are captured, and an identity that changes
-- whenever rows may have come or gone without a trigger; has_others: it has triggers of ours that are no longer wanted. If one
-- table is asked for, no other table's triggers are read. A view that is adopted is captured on the tables beneath, by triggers
-- whose names end with the view's oid.
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
                '{id, contact_method_id, identifier, person_id, decision, revoked_at}'
            )
        ) as wanted (name, log_function, schema_name, reads)
    ),
    roots as (
        select
            named.*,
            found.oid as table_oid,
            adopted.definitions,
            adopted.view_oid is not null as is_adopted,
            coalesce(
                (
                    select
                        'it reads what was ' || min(beneath.known_name)
                        || ' before that was exchanged: run `convo-pipelines adopt install FILE`'
                    from analytics.adopted_tables as beneath
                    where beneath.view_oid = found.oid and to_regclass(beneath.known_name)::oid is distinct from beneath.table_oid
                ),
                case
                    when analytics.definitions_of(adopted.views) is distinct from adopted.definitions
                        then 'its definition has changed: run `convo-pipelines adopt install`'
                end
            ) as change
        from named
        cross join lateral to_regclass(format('%I.%I', named.schema_name, named.name)) as regclass (oid)
        cross join lateral (select regclass.oid::oid) as found (oid)
        left join analytics.adopted_views as adopted on adopted.view_oid = found.oid
        where only_name is null or named.name = only_name
    ),
    members (name, suffix, is_root, oid) as (
        select roots.name, beneath.suffix, true, beneath.oid
        from roots
        cross join lateral analytics.tables_beneath(roots.table_oid, roots.log_function) as beneath
        where roots.table_oid is not null
        union
        select members.name, members.suffix, false, pg_inherits.inhrelid
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
            members.suffix,
            trigger.tgrelid,
            array_agg(trigger.tgname::text) filter (where trigger.tgenabled = 'A') as names,
            array_agg(trigger.tgname::text) as all_names,
            string_agg(trigger.xmin::text, ',' order by trigger.tgname) as versions
        from members
        inner join pg_trigger as trigger on trigger.tgrelid = members.oid
        where trigger.tgname ~ ('^convo_pipelines_[a-z]+' || members.suffix || '$')
        group by members.name, members.suffix, trigger.tgrelid
    ),
    files as (
        select
            members.name,
            members.suffix,
            class.oid,
            class.relkind,
            concat_ws(':', class.oid, class.relfilenode, capturing.versions, fed.srrelid, parents.of) as identity,
            coalesce(capturing.names, array[]::text[]) as triggers,
            coalesce(capturing.all_names, array[]::text[]) as all_triggers,
            bool_or(fed.srrelid is not null or members.is_root and parents.oid is not null)
            over (partition by members.name) as is_fed
        from members
        left join parents on parents.oid = members.oid
        inner join pg_class as class on class.oid = members.oid
        left join capturing
            on capturing.name = members.name and capturing.suffix = members.suffix and capturing.tgrelid = class.oid
        left join pg_subscription_rel as fed on fed.srrelid = class.oid
    ),
    wanting as (
        select
            files.*,
            array(
                select 'convo_pipelines_' || wanted.name || files.suffix
                from unnest(
                    array['truncate'] || case
                        when not files.is_fed then array['insert', 'update', 'delete']
                        when files.relkind <> 'r' then array[]::text[]
                        when roots.is_histories then array['row', 'before']
                        else array['row']
                    end
                ) as wanted (name)
            ) as wanted,
            coalesce(
                roots.change,
                case when roots.is_adopted and files.is_fed then 'a table beneath is fed by replication or by its parent' end,
                case when files.relkind in ('v', 'm') then 'it is a view: `convo-pipelines adopt install` captures it, or says why not' end
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
            string_agg(files.identity, ' ' order by files.oid, files.suffix) as identity,
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
        case when roots.is_adopted then array[roots.table_oid] else described.members end,
        coalesce(described.obstacle, roots.change),
        coalesce(described.is_fed, false),
        coalesce(described.is_captured, roots.is_adopted) and coalesce(described.obstacle, roots.change) is null,
        coalesce(described.has_others, false),
        coalesce(nullif(concat_ws(' ', described.identity, roots.definitions, roots.change), ''), 'absent'),
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
    root record;
    member record;
    definition text;
begin
    for root in select * from analytics.tables_beneath(source, null) order by oid loop
        if root.suffix <> '' or exists (
            select from pg_class where oid = source and relkind in ('r', 'p')
                and relnamespace::regnamespace::text in ('app', 'curation')
        ) then
            perform analytics.lock_source(root.oid::regclass, 'share row exclusive');
            lock table app.crews, app.clients in access share mode nowait;
        end if;
    end loop;
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
        select class.oid::regclass as name, class.relkind as kind, beneath.function_name, beneath.suffix
        from analytics.tables_beneath(source, known.log_function) as beneath
        cross join lateral analytics.members_of(beneath.oid) as members (oid)
        inner join pg_class as class on class.oid = members.oid
    loop
        foreach definition in array
            array['truncate%s after truncate on %s for each statement'] || case
                when not known.is_fed then array[
                    'insert%s after insert on %s referencing new table as new_rows for each statement',
                    'update%s after update on %s referencing old table as old_rows new table as new_rows for each statement',
                    'delete%s after delete on %s referencing old table as old_rows for each statement'
                ]
                when member.kind <> 'r' then array[]::text[]
                when known.is_histories then array[
                    'row%s after insert or update on %s for each row',
                    'before%s before update or delete on %s for each row'
                ]
                else array['row%s after insert or update or delete on %s for each row']
            end
        loop
            execute format(
                'create or replace trigger convo_pipelines_' || definition || ' execute function analytics.%I(%s)',
                member.suffix, member.name, member.function_name,
                case when not known.is_histories then quote_literal(known.name) end
            );
        end loop;
        perform analytics.enable_triggers(member.name);
    end loop;
end
$$;
revoke all on function analytics.capture(regclass) from public;

-- Drops the triggers of a table, its partitions and its children, or of the tables beneath a view, unless they have none.
create or replace function analytics.release(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    root record;
    members oid[];
begin
    for root in select * from analytics.tables_beneath(source, null) order by oid loop
        members := array(select analytics.members_of(root.oid));
        if exists (
            select from pg_trigger
            where tgrelid = any(members) and tgname ~ ('^convo_pipelines_[a-z]+' || root.suffix || '$')
        ) then
            perform analytics.lock_source(root.oid::regclass, 'access exclusive');
            perform analytics.drop_triggers(member::regclass, root.suffix) from unnest(members) as member;
        end if;
    end loop;
end
$$;
revoke all on function analytics.release(regclass) from public;

-- The statements that create the indexes by which rows of a view in app are found by a column; none if the planner has them. It
-- says what it compares, row by row, with a value that no row has.
create function analytics.missing_indexes_beneath(table_name text, column_name text, method text) returns setof text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set timezone = 'UTC'
as $$
declare
    of_type text;
    wanted text;
    plan jsonb;
    found record;
    start int;
    depth int;
    statements text[];
    expression text;
begin
    select format_type(atttypid, null) into of_type from pg_attribute
    where attrelid = format('app.%I', table_name)::regclass and attname = column_name;
    wanted := case of_type
        when 'uuid' then '5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a'
        when 'uuid[]' then '{5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a}'
        when 'timestamp with time zone' then '2001-02-03 04:05:06+00'
        else 'no such value'
    end;
    execute format(
        'explain (format json, verbose) select from app.%I where %I %s %L::%s',
        table_name, column_name, case method when 'gin' then '@>' else '=' end, wanted, of_type
    ) into plan;
    for found in
        select
            format('%I.%I', node ->> 'Schema', node ->> 'Relation Name') as relation,
            node ->> 'Alias' as alias,
            node ->> 'Filter' as filter
        from jsonb_path_query(plan, '$.** ? (exists (@.Filter) && exists (@."Relation Name"))') as node
    loop
        start := strpos(found.filter, format(' %s %L', case method when 'gin' then '@>' else '=' end, wanted));
        continue when start = 0;
        expression := left(found.filter, start - 1);
        depth := 0;
        for position in reverse length(expression)..1 loop
            depth := depth + case substr(expression, position, 1) when ')' then 1 when '(' then -1 else 0 end;
            if depth < 0 then
                expression := substr(expression, position + 1);
                exit;
            end if;
        end loop;
        expression := replace(expression, quote_ident(found.alias) || '.', '');
        expression := regexp_replace(expression, '\(lpad\(to_hex\((.*?)\), 32, ''0''::text\)\)::uuid', 'analytics.uuid_of(\1)', 'g');
        expression := regexp_replace(
            expression, '^\(md5\(\(''\d+:([^'']*):''::text \|\| (.*)\)\)\)::uuid$', 'analytics.uuid_of(''\1'', \2)'
        );
        continue when exists (
            select from pg_index as index
            where index.indrelid = found.relation::regclass
                and index.indisvalid
                and index.indpred is null
                and translate(pg_get_indexdef(index.indexrelid, 1, false), '() ', '') = translate(expression, '() ', '')
        );
        statements := statements || format('create index concurrently on %s using %s ((%s))', found.relation, method, expression);
    end loop;
    return query select distinct unnest(statements);
end
$$;

create or replace view analytics.missing_app_indexes as
select
    wanted.table_name,
    wanted.column_name,
    missing.run_this
from (
    values
    ('clients', 'id', 'btree'),
    ('crews', 'id', 'btree'),
    ('people', 'id', 'btree'),
    ('contact_methods', 'id', 'btree'),
    ('conversations', 'id', 'btree'),
    ('conversations', 'crew_id', 'btree'),
    ('conversations', 'started_at', 'btree'),
    ('messages', 'id', 'btree'),
    ('messages', 'sent_at', 'btree'),
    ('messages', 'conversation_id', 'btree'),
    ('message_recipients', 'message_id', 'btree'),
    ('message_recipients', 'contact_method_id', 'btree'),
    ('projects', 'id', 'btree'),
    ('projects', 'conversation_ids', 'gin'),
    ('users', 'id', 'btree')
    union all
    select distinct
        histories_table_name,
        'created_at',
        'btree'
    from app.crews
    where is_active
) as wanted (table_name, column_name, method)
inner join pg_class as class
    on class.relname = wanted.table_name and class.relnamespace = to_regnamespace('app') and class.relkind in ('r', 'p', 'v')
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = wanted.column_name
cross join lateral (
    select analytics.missing_indexes_beneath(wanted.table_name, wanted.column_name, wanted.method) as run_this
    where class.relkind = 'v'
    union all
    select format('create index concurrently on app.%I using %s (%I)', wanted.table_name, wanted.method, wanted.column_name)
    where class.relkind <> 'v' and wanted.column_name <> 'created_at' and not exists (
        select from pg_index as i
        inner join pg_class as c on c.oid = i.indexrelid
        inner join pg_am as am on am.oid = c.relam
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisvalid
            and i.indpred is null
            and i.indrelid = class.oid
            and a.attname = wanted.column_name
            and am.amname = wanted.method
    )
) as missing;

comment on view analytics.missing_app_indexes is
'Columns of app that ticks and backfills filter by and that have no valid index.';
comment on column analytics.missing_app_indexes.table_name is 'The table or view in app.';
comment on column analytics.missing_app_indexes.column_name is 'The column.';
comment on column analytics.missing_app_indexes.run_this is 'The statement that creates the index.';

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
        cross join current_setting('convo.actor', true) as actor;
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

-- Locks rows of the application against deletion without waiting, and returns the ids of those that it locked. A refresh
-- calls it before it writes rows that refer to them. A row lock needs the UPDATE privilege, which only the owner has. Rows of a
-- view are locked in the table beneath by the function that its owner installed for that; without one, they are only looked for:
-- then the log alone tells of a deletion.
create or replace function analytics.lock_parents(parent text, ids uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    relation record;
begin
    if parent not in ('clients', 'crews', 'people', 'contact_methods', 'conversations', 'projects', 'users') then
        raise exception 'app.% is not a table that rows of analytics refer to', parent using errcode = 'insufficient_privilege';
    end if;
    select class.relkind, locks.proname as lock_function into relation
    from pg_class as class
    left join pg_proc as locks
        on locks.oid = to_regprocedure(format('analytics.%I(uuid[])', 'lock_view_' || class.oid))
        and locks.proowner = current_user::regrole
    where class.oid = format('app.%I', parent)::regclass;
    if relation.lock_function is not null then
        return query execute format(
            'with locked as materialized (select analytics.%I($1) as id) '
            'select id from app.%I where id in (select id from locked) order by id', relation.lock_function, parent
        ) using ids;
    elsif relation.relkind = 'v' then
        return query execute format('select id from app.%I where id = any($1) order by id', parent) using ids;
    else
        return query execute
            format('select id from app.%I where id = any($1) order by id for key share skip locked', parent) using ids;
    end if;
end
$$;
revoke all on function analytics.lock_parents(text, uuid[]) from public;
