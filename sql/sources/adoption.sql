-- name: quality
-- What a view of app shows.
-- in:  {view}; {key}: its columns that no two rows share; {is_null}: whether one of them is null; {is_known}: whether each of its
--      columns has a value that means something
-- out: one row: rows, null_keys, double_keys, unknown_values
select
    count(*) as rows,
    count(*) filter (where {is_null}) as null_keys,
    count(*) filter (where not ({is_null})) - count(distinct row({key})) filter (where not ({is_null})) as double_keys,
    count(*) filter (where ({is_known}) is not true) as unknown_values
from {view};


-- name: missing_indexes
-- The indexes beneath a view of app that lookups need and that are missing.
-- in:  %(table_name)s; %(columns)s: by which rows are found
-- out: a row each: run_this
select distinct run_this
from unnest(%(columns)s::text[]) as name
cross join lateral analytics.missing_indexes_beneath(%(table_name)s, name, 'btree') as run_this
order by run_this;


-- name: missing_index
-- The index by which rows of a table are found that another table's rows lead to, if there is none.
-- in:  %(relation)s; %(expressions)s: by one of which
-- out: one row, or none: run_this
select format('create index concurrently on %%s ((%%s))', %(relation)s::text, (%(expressions)s::text[])[1]) as run_this
where not exists (
    select from pg_index as index
    where index.indrelid = %(relation)s::regclass
        and index.indisvalid
        and index.indpred is null
        and translate(pg_get_indexdef(index.indexrelid, 1, false), '() ', '') in (
            select translate(expression, '() ', '') from unnest(%(expressions)s::text[]) as expression
        )
);


-- name: described
-- How to make the views of app again: with their options, owners, comments, defaults, rights and triggers of the owner.
-- in:  %(names)s: of these; null: of all of them
-- out: a row per view, in the order in which they were made: table_name, definition, rights (text[])
select
    class.relname::text as table_name,
    format(
        'create view app.%%I%%s as %%s',
        class.relname,
        ' with (' || array_to_string(class.reloptions, ', ') || ')',
        rtrim(pg_get_viewdef(class.oid), ';')
    ) as definition,
    array_remove(
        array[
            format('alter view app.%%I owner to %%s', class.relname, class.relowner::regrole),
            format('comment on view app.%%I is %%L', class.relname, obj_description(class.oid, 'pg_class'))
        ]
        || array(
            select format('comment on column app.%%I.%%I is %%L', class.relname, attname, col_description(attrelid, attnum))
            from pg_attribute
            where attrelid = class.oid and attnum > 0 and col_description(attrelid, attnum) is not null
            order by attnum
        )
        || array(
            select
                format(
                    'alter view app.%%I alter %%I set default %%s', class.relname, attname, pg_get_expr(adbin, adrelid)
                )
            from pg_attrdef
            inner join pg_attribute on attrelid = adrelid and attnum = adnum
            where adrelid = class.oid
            order by adnum
        )
        || array(
            select
                format(
                    'grant %%s%%s on app.%%I to %%s%%s',
                    lower(given.privilege_type),
                    ' (' || quote_ident(acls.attname) || ')',
                    class.relname,
                    case given.grantee when 0 then 'public' else given.grantee::regrole::text end,
                    case when given.is_grantable then ' with grant option' else '' end
                )
            from (
                select
                    null as attname,
                    class.relacl as acl
                union all
                select
                    attname,
                    attacl
                from pg_attribute
                where attrelid = class.oid and attacl is not null
            ) as acls
            cross join lateral aclexplode(acls.acl) as given
            where given.grantee <> class.relowner
            order by given.grantee, given.privilege_type, acls.attname
        )
        || array(
            select pg_get_triggerdef(oid) from pg_trigger
            where tgrelid = class.oid and not tgisinternal and tgname not like 'convo\_pipelines\_%%'
            order by tgname
        ),
        null
    ) as rights
from pg_class as class
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
    and (%(names)s::text[] is null or class.relname = any(%(names)s::text[]))
order by class.oid;


-- name: unread
-- The views of a file that are neither sources nor histories, and that no other view reads.
-- in:  %(names)s: of views in app that are no sources; %(columns)s: those of histories
-- out: one row each: name
select class.relname as name
from pg_class as class
where class.relnamespace = 'app'::regnamespace and class.relname = any(%(names)s::text[])
    and not %(columns)s::text[] <@ array(
        select attname::text from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped
    )
    and not exists (
        select from pg_depend as depend
        inner join pg_rewrite as rule on depend.objid = rule.oid
        where depend.classid = 'pg_rewrite'::regclass and depend.refobjid = class.oid and rule.ev_class <> class.oid
    )
order by class.relname;


-- name: exchanged
-- Views that read a table which was exchanged by rename: another table has its name. Not those of before a restore, after which
-- all have other oids.
-- out: a row each: table_name, known_name
select
    adopted.table_name,
    beneath.known_name
from analytics.adopted_tables as beneath
inner join analytics.adopted_views as adopted using (view_oid)
where to_regclass(beneath.known_name) <> beneath.table_oid
    and to_regclass(format('app.%%I', adopted.table_name)) = adopted.view_oid
order by adopted.table_name, beneath.number;


-- name: columns
-- The tables and views of app.
-- out: a row each: table_name, is_view, columns (jsonb: the type of each, and its collation unless that is the type's)
select
    class.relname::text as table_name,
    class.relkind = 'v' as is_view,
    jsonb_object_agg(
        attribute.attname,
        concat_ws(' collate ', format_type(attribute.atttypid, attribute.atttypmod), quote_ident(own.collname))
    ) as columns
from pg_class as class
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
inner join pg_type as type on type.oid = attribute.atttypid
left join pg_collation as own on own.oid = attribute.attcollation and own.oid <> type.typcollation
where class.relnamespace = to_regnamespace('app') and class.relkind in ('r', 'p', 'v', 'm', 'f')
group by class.oid;


-- name: left_out
-- Views over the owner's tables that a file of views no longer has.
-- in:  %(names)s: those that it has
-- out: a row each: table_name
select class.relname::text as table_name
from analytics.adopted_views as adopted
inner join pg_class as class on class.oid = adopted.view_oid
where class.relnamespace = 'app'::regnamespace
    and class.relname <> all(%(names)s::text[])
    and exists (select from analytics.adopted_tables as beneath where beneath.view_oid = adopted.view_oid);


-- name: reference_tables
-- The tables of the reference schema app, which `convo-pipelines migrate up` creates where there is no application.
-- out: a row per table, none if app is the application's own: table_name
select relname::text as table_name
from pg_class
where relnamespace = to_regnamespace('app') and relkind in ('r', 'p')
    and to_regclass('app.schema_migration_code') is not null
    and relname not like 'schema\_migration%%'
order by relname;


-- name: has_rows
-- Whether a table has rows.
-- in:  {relation}
-- out: one row: has_rows
select count(*) > 0 as has_rows
from (select from {relation} limit 1) as one;


-- name: drop_reference
-- Drops the tables of the reference schema app, with the foreign keys of analytics to them; the rights on the schema stay.
do $$
declare
    relation regclass;
begin
    for relation in select oid from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') loop
        execute format('drop table %%s cascade', relation);
    end loop;
    drop function app.touch_updated_at();
end
$$;


-- name: views
-- The views of app that the pipeline reads, or would if a crew were active.
-- out: a row per view: name, log_function, is_histories, relation (its name, quoted)
with wanted as (
    select
        name,
        log_function,
        is_histories
    from analytics.source_tables()
    union
    select
        histories_table_name,
        'log_sessions',
        true
    from app.crews
)

select distinct on (wanted.name)
    wanted.name,
    wanted.log_function,
    wanted.is_histories,
    format('app.%%I', wanted.name) as relation
from wanted
inner join pg_class as class on class.relname = wanted.name
where class.relnamespace = 'app'::regnamespace and class.relkind = 'v'
order by wanted.name, wanted.is_histories;


-- name: release_former
-- Drops the triggers of views that are no longer captured, and forgets them.
-- in:  %(views)s: the oids of those that are
with former as materialized (
    select view_oid from analytics.adopted_views
    where view_oid <> all(%(views)s::oid[])
),

released as materialized (
    select former.view_oid
    from former
    cross join lateral analytics.release(former.view_oid::regclass) as released
)

delete from analytics.adopted_views
where view_oid in (select view_oid from released);


-- name: stale_triggers
-- Triggers of ours, on tables beneath views, that are no longer wanted. Either the view no longer reads the table, or it had
-- another oid before the database was restored.
-- out: a row per trigger: table_oid, schema_name, relation_name, trigger_name; of partitions after their parents
select
    trigger.tgrelid as table_oid,
    trigger.tgrelid as table_oid,
    namespace.nspname::text as schema_name,
    class.relname::text as relation_name,
    trigger.tgname::text as trigger_name
from pg_trigger as trigger
inner join pg_class as class on class.oid = trigger.tgrelid
inner join pg_namespace as namespace on namespace.oid = class.relnamespace
inner join pg_proc as function on function.oid = trigger.tgfoid
where trigger.tgparentid = 0
    and trigger.tgname like 'convo\_pipelines\_%%'
    and function.pronamespace = 'analytics'::regnamespace
    and function.proname like 'log\_view\_%%'
    and not exists (
        select from analytics.adopted_tables as beneath
        where beneath.function_name = function.proname
            and trigger.tgrelid in (select member from analytics.members_of(beneath.table_oid) as member)
    )
order by class.relispartition, trigger.tgrelid, trigger.tgname;


-- name: drop_trigger
-- Drops a trigger of a table, which it waits for only shortly: readers queue behind the wait.
-- in:  {table}, {table_oid}, {trigger}
select analytics.lock_source({table_oid}::oid::regclass, 'access exclusive');
drop trigger {trigger} on {table};


-- name: former_functions
-- The functions of views that are no longer captured, or no longer there.
-- out: function
select oid::regprocedure::text as function
from pg_proc
where pronamespace = 'analytics'::regnamespace
    and (
        proname like 'log\_view\_%%'
        and proname not in (select function_name from analytics.adopted_tables)
        and oid not in (select tgfoid from pg_trigger)
        or proname like 'look\_up\_%%'
        and replace(proname, 'look_up', 'log_view') not in (select function_name from analytics.adopted_tables)
        or proname like 'lock\_view\_%%'
        and not exists (select from pg_class where relkind = 'v' and 'lock_view_' || pg_class.oid = proname)
    );


-- name: remember
-- Stores that a view is captured on the tables beneath, and forgets those that it no longer reads.
-- in:  %(table_name)s, %(view)s (its oid), %(views)s; %(oids)s, %(names)s, %(functions)s: table by table, that of its rows first
with adopted as (
    insert into analytics.adopted_views (view_oid, table_name, views, definitions)
    values (%(view)s::oid, %(table_name)s, %(views)s::oid[], analytics.definitions_of(%(views)s::oid[]))
    on conflict (view_oid) do update set
        table_name = excluded.table_name,
        views = excluded.views,
        definitions = excluded.definitions
    returning view_oid
),

forgotten as (
    delete from analytics.adopted_tables
    where view_oid = %(view)s::oid and number >= cardinality(%(oids)s::oid[])
)

insert into analytics.adopted_tables (view_oid, number, table_oid, known_name, function_name)
select
    adopted.view_oid,
    beneath.number - 1,
    beneath.oid,
    beneath.name,
    beneath.function_name
from adopted
cross join unnest(%(oids)s::oid[], %(names)s::text[], %(functions)s::text[])
    with ordinality as beneath (oid, name, function_name, number)
on conflict (view_oid, number) do update set
    table_oid = excluded.table_oid,
    known_name = excluded.known_name,
    function_name = excluded.function_name;


-- name: look_up
-- Creates the function that finds the rows of a view which changed rows of a table beneath concern, as they are now. If an
-- expression fails, it finds all rows of which none does: a view whose expression fails for a row cannot show it.
-- in:  {function}; {types}: the logged columns; {rows}: the statements that return the rows; {each}: those that do so one by one;
--      {pins}: settings; {name}: of the view
drop function if exists {function}(text[]);
create function {function}(found_by text[]) returns table ({types}, operation text)
language plpgsql stable set search_path = pg_catalog, pg_temp {pins}
as $look_up$
#variable_conflict use_column
declare
    convo_row record;
begin
    {rows};
exception when others or assert_failure then
    raise warning '%: all of its rows are read again: %', {name}, sqlerrm;
    {each};
end
$look_up$;


-- name: everything
-- in:  {log}, {columns}, {values}: the statement logs that a source has to be read as a whole
insert into {log} ({columns}) values ({values});


-- name: beneath
-- in:  {log}; {look_up}: the function that finds the rows of the view by what the statement logs
insert into {log} (operation, beneath, beneath_values) values ('beneath', {look_up}, found_by);


-- name: joined
-- Creates the trigger function of a table that a view reads beside the one beneath. If what the view reads of it has changed, it
-- logs what leads to the rows of the view, or that the source has to be read as a whole.
-- in:  {function}; {columns}: that the view reads, as text, which tells values apart that are equal; {found_by}: an array of
--      those that lead to its rows; {most}: of more rows, everything is read; {log}, {log_name}; {written}, {everything}: the
--      statements that write the log
create or replace function {function}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set extra_float_digits = 1
as $function$
declare
    may_write boolean;
    is_everything boolean := false;
    found_by text[];
begin
    begin
        may_write := has_table_privilege({log_name}, 'insert');
        if tg_op = 'UPDATE' then
            select array_agg(distinct {found_by}) into found_by from (
                (select {columns} from old_rows except all select {columns} from new_rows)
                union all
                (select {columns} from new_rows except all select {columns} from old_rows)
            ) as changed;
        elsif tg_op = 'DELETE' then
            select array_agg(distinct {found_by}) into found_by from (select {columns} from old_rows) as changed;
        elsif tg_op = 'INSERT' then
            select array_agg(distinct {found_by}) into found_by from (select {columns} from new_rows) as changed;
        end if;
        is_everything := tg_op = 'TRUNCATE' or coalesce(array_length(found_by, 1) > {most}, false);
    exception when others or assert_failure then
        is_everything := true;
    end;
    if found_by is null and not is_everything then
        return null;
    end if;
    if may_write is not true then
        raise warning '% may not write %: every table will be read again', current_user, {log_name};
        begin
            perform lo_create((4293918720 + mod(pg_current_xact_id()::text::bigint, 1048576))::oid);
        exception when others then  -- the transaction has left its mark before
        end;
        return null;
    end if;
    if is_everything then
        {everything};
    else
        {written};
    end if;
    return null;
end
$function$;


-- name: takes_rows
-- Whether PostgreSQL itself, or a trigger of the owner, inserts rows of a view into the table beneath.
-- in:  %(relation)s; %(columns)s: those of the rows
-- out: one row: takes_rows
select
    bool_or(exists (select from pg_trigger where tgrelid = attrelid and tgtype & 68 = 68))  -- instead of insert
    or pg_relation_is_updatable(%(relation)s::regclass, false) & 8 = 8
    and coalesce(bool_and(pg_column_is_updatable(attrelid, attnum, false)), true) as takes_rows
from pg_attribute
where attrelid = %(relation)s::regclass and attname = any(%(columns)s::text[]);


-- name: release
-- Stores how to make views of app again. Those of a release before stay, unless there is a view of that name again.
-- in:  %(names)s, %(statements)s: of each view, in the order in which they are made
-- out: released_views
with replaced as (
    delete from analytics.released_views
    where table_name = any(%(names)s::text[])
)

insert into analytics.released_views (number, table_name, statements)
select
    (select coalesce(max(number), 0) from analytics.released_views) + given.number,
    given.name,
    given.statements
from unnest(%(names)s::text[], %(statements)s::text[]) with ordinality as given (name, statements, number);


-- name: forget_released
-- Forgets views that were dropped by a release.
-- in:  %(names)s: only these; null: all of them
delete from analytics.released_views
where %(names)s::text[] is null or table_name = any(%(names)s::text[]);


-- name: released
-- The views that were dropped, in the order in which they are made again.
-- out: table_name, statements
select
    table_name,
    statements
from analytics.released_views
order by number;


-- name: tables
-- The columns of the tables of a schema; a partitioned table stands for its partitions.
-- in:  %(schema)s
-- out: a row per column: table_oid, table_name, relation (quoted, with its schema), name, quoted, type (without modifiers; of a
--      domain, the type beneath), declared_type, is_text, is_nullable, is_key (it alone is the primary key), labels (of an enum),
--      referred_oid, referred_name (by a foreign key of it alone)
with foreign_keys as (
    select distinct on (conrelid, conkey)
        conrelid,
        conkey,
        confrelid,
        confkey[1] as referred_number
    from pg_constraint
    where contype = 'f' and conparentid = 0 and cardinality(conkey) = 1
    order by conrelid, conkey, oid
),

enums as (
    select
        enumtypid,
        array_agg(enumlabel::text order by enumsortorder) as labels
    from pg_enum
    group by enumtypid
)

select
    class.oid::bigint as table_oid,
    class.relname::text as table_name,
    format('%%I.%%I', schema.nspname, class.relname) as relation,
    attribute.attname::text as name,
    format('%%I', attribute.attname) as quoted,
    format_type(beneath.oid, null) as type,
    format_type(attribute.atttypid, attribute.atttypmod) as declared_type,
    type.typcategory = 'S' as is_text,
    not attribute.attnotnull as is_nullable,
    primary_key.oid is not null as is_key,
    enums.labels,
    foreign_keys.confrelid::bigint as referred_oid,
    referred.attname::text as referred_name
from pg_namespace as schema
inner join pg_class as class
    on class.relnamespace = schema.oid and class.relkind in ('r', 'p') and not class.relispartition
inner join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
inner join pg_type as type on type.oid = attribute.atttypid
inner join pg_type as beneath on beneath.oid = coalesce(nullif(type.typbasetype, 0), type.oid)
left join enums on enums.enumtypid = beneath.oid
left join pg_constraint as primary_key
    on primary_key.conrelid = class.oid and primary_key.contype = 'p' and primary_key.conkey = array[attribute.attnum]
left join foreign_keys on foreign_keys.conrelid = class.oid and foreign_keys.conkey = array[attribute.attnum]
left join pg_attribute as referred
    on referred.attrelid = foreign_keys.confrelid and referred.attnum = foreign_keys.referred_number
where schema.nspname = %(schema)s
order by class.relname, attribute.attnum;


-- name: schemas
-- The schemas of the application.
-- out: a row each: name, has_tables
select
    schema.nspname::text as name,
    exists(
        select from pg_class as class
        where class.relnamespace = schema.oid and class.relkind in ('r', 'p')
    ) as has_tables
from pg_namespace as schema
where schema.nspname !~ '^pg_' and schema.nspname not in ('information_schema', 'app', 'analytics', 'curation')
order by schema.nspname;


-- name: found_rows
-- in:  {values}: of the changed rows; {table}: that decides the view's rows; {row_ids}: the query for the ids of its rows that
--      are concerned; {columns}, {shown}: what the view shows of these; {operations}
return query
with change as materialized (
    select {values} from generate_subscripts($1, 1) as number
),

changed_rows as materialized (
    select * from {table} where ctid = any(array({row_ids}))
)

select {columns}, logged.operation from ({shown}) as shown cross join (values {operations}) as logged (operation);


-- name: each_row
-- in:  {table}: that decides the view's rows; {columns}, {shown}: what the view shows of these; {operations}
for convo_row in select tableoid, ctid from {table} loop
    begin
        return query
        with changed_rows as materialized (
            select * from {table} where ctid = convo_row.ctid and tableoid = convo_row.tableoid
        )

        select {columns}, logged.operation from ({shown}) as shown cross join (values {operations}) as logged (operation);
    exception when others or assert_failure then  -- the view does not show it
    end;
end loop;
