-- The tables on which a source is captured, without their partitions: itself, or those beneath an adopted view; known_name: the
-- schema and name that such a table had.
create or replace function analytics.tables_beneath(source oid, log_function text) returns table (
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

-- The tables of the sources, without histories tables, that exist.
create or replace function analytics.declared_relations() returns table (name text, oid oid)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select declared.name, class.oid
    from analytics.declared_sources() as declared
    left join pg_class as class  -- to_regclass fails without the right to use the schema
        on class.relnamespace = to_regnamespace(quote_ident(declared.schema_name)) and class.relname = declared.relation_name
$$;

-- A table, its partitions and its children.
create or replace function analytics.members_of(source oid) returns setof oid
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with recursive members (oid) as (
        select source
        union
        select pg_inherits.inhrelid from members inner join pg_inherits on pg_inherits.inhparent = members.oid
    )
    select members.oid from members
$$;

-- The tables that the pipeline reads, or those of these names: their kind, whether they are captured, and an identity that
-- changes whenever rows may have come or gone without a trigger; has_others: it has triggers of ours that are no longer wanted.
-- If names are given, no other table's triggers are read. A view that is adopted is captured on the tables beneath, by triggers
-- whose names end with the view's oid.
create or replace function analytics.source_tables(only_names text[] default null) returns table (
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
            crew.histories_table_name::text as relation_name,
            array['session_id', 'message', 'created_at'] as reads
        from app.crews as crew
        inner join app.clients as client on client.id = crew.client_id
        where crew.is_active and client.is_active and octet_length(crew.histories_table_name) <= 63
            and (only_names is null or crew.histories_table_name = any(only_names))
            and crew.histories_table_name not in (select declared.name from analytics.declared_sources() as declared)
        union all
        select declared.name, false, 'log_' || declared.name, declared.schema_name, declared.relation_name, declared.reads
        from analytics.declared_sources() as declared
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
        left join lateral (  -- to_regclass fails without the right to use the schema
            select class.oid from pg_class as class
            where class.relnamespace = to_regnamespace(quote_ident(named.schema_name)) and class.relname = named.relation_name
        ) as found on true
        left join analytics.adopted_views as adopted on adopted.view_oid = found.oid
        where only_names is null or named.name = any(only_names)
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
create or replace function analytics.drop_triggers(member regclass, suffix text) returns void
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

-- Locks a table and its partitions, without making a transaction of the application the victim of a deadlock: it waits only
-- for the table, while nothing is locked yet, and shorter than deadlock_timeout. Partitions are locked at once or not at all.
create or replace function analytics.lock_source(source regclass, mode text) returns void
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

-- Creates the triggers on a table that is locked, and on all its partitions. Reads go on: creating and replacing triggers needs a
-- lock against writers only.
create or replace function analytics.create_triggers(
    source regclass, named_function text, is_histories boolean, is_fed boolean
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    member record;
    definition text;
    enabled text[];
begin
    for member in
        select class.oid::regclass as name, class.relkind as kind, beneath.function_name, beneath.suffix
        from analytics.tables_beneath(source, named_function) as beneath
        cross join lateral analytics.members_of(beneath.oid) as members (oid)
        cross join lateral (  -- by index: the planner expects thousands of members
            select oid, relkind from pg_class where oid = members.oid offset 0
        ) as class
    loop
        enabled := '{}';
        foreach definition in array
            array['truncate%s after truncate on %s for each statement'] || case
                when not is_fed then array[
                    'insert%s after insert on %s referencing new table as new_rows for each statement',
                    'update%s after update on %s referencing old table as old_rows new table as new_rows for each statement',
                    'delete%s after delete on %s referencing old table as old_rows for each statement'
                ]
                when member.kind <> 'r' then array[]::text[]
                when is_histories then array[
                    'row%s after insert or update on %s for each row',
                    'before%s before update or delete on %s for each row'
                ]
                else array['row%s after insert or update or delete on %s for each row']
            end
        loop
            execute format(
                'create or replace trigger convo_pipelines_' || definition || ' execute function analytics.%I()',
                member.suffix, member.name, member.function_name
            );
            enabled := enabled || format('enable always trigger %I', 'convo_pipelines_' || split_part(definition, '%', 1) || member.suffix);
        end loop;
        execute format('alter table only %s %s', member.name, array_to_string(enabled, ', '));  -- for replicated changes, too
    end loop;
end
$$;
revoke all on function analytics.create_triggers(regclass, text, boolean, boolean) from public;

-- Creates the triggers on a table that the pipeline reads, and on all its partitions, unless they are there.
create or replace function analytics.capture(source regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known record;
    root record;
begin
    for root in select * from analytics.tables_beneath(source, null) order by oid loop
        if root.suffix <> '' or exists (
            select from pg_class where oid = source and relkind in ('r', 'p')
                and (relnamespace = 'app'::regnamespace or oid in (
                    select declared.oid from analytics.declared_relations() as declared
                ))
        ) then
            perform analytics.lock_source(root.oid::regclass, 'share row exclusive');
            lock table app.crews, app.clients in access share mode nowait;
        end if;
    end loop;
    select * into known
    from analytics.source_tables(
        array(
            select relname::text from pg_class where oid = source
            union all
            select declared.name from analytics.declared_relations() as declared where declared.oid = source
        )
    )
    where table_oid = source;
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
    perform analytics.create_triggers(source, known.log_function, known.is_histories, known.is_fed);
end
$$;
revoke all on function analytics.capture(regclass) from public;

-- Creates the triggers on several histories tables at once, and returns these. The tables are locked without waiting; if one is
-- locked by another session, it fails. Those that are not plain tables, or cannot be captured, are left to capture().
create or replace function analytics.capture_tables(sources regclass[]) returns setof oid
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    known record;
    plain oid[] := array(
        select class.oid from pg_class as class
        where class.oid = any(sources) and class.relkind = 'r' and class.relnamespace = to_regnamespace('app')
            and class.relname in (select histories_table_name from app.crews)
        order by class.oid
    );
begin
    if plain = '{}' then
        return;
    end if;
    execute (
        select format('lock table %s in share row exclusive mode nowait', string_agg(oid::regclass::text, ', '))
        from unnest(plain) as oid
    );
    lock table app.crews, app.clients in access share mode nowait;
    for known in
        select source.* from pg_class as class
        inner join analytics.source_tables(array(select relname::text from pg_class where oid = any(plain))) as source
            on source.table_oid = class.oid
        where class.oid = any(plain) and source.is_histories and source.members = array[class.oid] and source.obstacle is null
            and not (source.is_fed or source.is_captured or source.has_others)
    loop
        perform analytics.create_triggers(known.table_oid::regclass, known.log_function, true, false);
        return next known.table_oid;
    end loop;
end
$$;
revoke all on function analytics.capture_tables(regclass[]) from public;

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
