-- name: applied
-- The migrations that were applied.
-- in:  {migrations}: the table that records them
-- out: name, checksum
select
    name,
    checksum
from {migrations};


-- name: former
-- What the version before 0.1.0 had applied.
-- in:  {migrations}: its table
-- out: name
select version_num as name from {migrations}
order by name;


-- name: encoding
-- The database, and its encoding.
-- out: one row: name, encoding
select
    current_database() as name,
    current_setting('server_encoding') as encoding;


-- name: relations
-- The tables and views of a schema.
-- in:  %(schema)s
-- out: name
select relname as name from pg_class
where relnamespace = to_regnamespace(%(schema)s) and relkind in ('r', 'p', 'v', 'm', 'f');


-- name: dependents
-- What others made that depends on analytics (views, foreign keys, functions, publications), and views that are adopted.
-- out: dependent
select distinct format('%%s depends on %%s', by.name, pg_describe_object(of.classid, of.objid, 0)) as dependent
from (
    select
        'pg_class'::regclass::oid as classid,
        oid as objid
    from pg_class
    where relnamespace = 'analytics'::regnamespace
    union all
    select
        'pg_type'::regclass,
        oid
    from pg_type
    where typnamespace = 'analytics'::regnamespace
    union all
    select
        'pg_proc'::regclass,
        oid
    from pg_proc
    where pronamespace = 'analytics'::regnamespace
) as of
inner join pg_depend as depend on depend.refclassid = of.classid and depend.refobjid = of.objid
left join pg_rewrite as rule on depend.classid = 'pg_rewrite'::regclass and rule.oid = depend.objid
cross join lateral (
    select
        case
            when rule.oid is null then pg_describe_object(depend.classid, depend.objid, depend.objsubid)
            else pg_describe_object('pg_class'::regclass, rule.ev_class, 0)
        end as name,
        (pg_identify_object_as_address(depend.classid, depend.objid, depend.objsubid)).object_names as path
) as by
where depend.classid = 'pg_publication_rel'::regclass
    or (
        split_part(by.path[1], '.', 1) not in ('analytics', 'curation', 'pg_toast')
        and not (depend.classid = 'pg_trigger'::regclass and by.path[3] like 'convo\_pipelines\_%%')
    )
union all
select format('view app.%%I is captured on the tables beneath: run `convo-pipelines adopt release`', table_name)
from analytics.adopted_views
order by dependent;


-- name: forget
-- Records that migrations are no longer applied.
-- in:  {migrations}: the table that records them; %(names)s
delete from {migrations}
where name = any(%(names)s);


-- name: forget_code
-- Records that code was applied whose text is not known: it is applied again, or dropped.
-- in:  {code}: the table that records it
update {code}
set checksum = '';


-- name: captured
-- The tables with capture triggers.
-- out: a row per table: schema_name, name, triggers
select
    schema.nspname as schema_name,
    class.relname as name,
    array_agg(trigger.tgname::text order by trigger.tgname) as triggers
from pg_trigger as trigger
inner join pg_class as class on class.oid = trigger.tgrelid
inner join pg_namespace as schema on schema.oid = class.relnamespace
where trigger.tgname like 'convo\_pipelines\_%%' and not trigger.tgisinternal and trigger.tgparentid = 0
group by class.oid, schema.nspname
order by class.oid;


-- name: has_decisions
-- Whether people decided anything, or put conversations into projects: nobody could compute that again.
-- out: one row: has_decisions
select
    exists (select from curation.participant_decisions) or exists (select from curation.project_assignments) as has_decisions;


-- name: published
-- The members of publications.
-- out: member
select pg_describe_object('pg_publication_rel'::regclass, oid, 0) as member from pg_publication_rel;


-- name: invalid_indexes
-- The invalid indexes of app and analytics: their builds were interrupted, or have not ended.
-- out: schema_name, name
select
    class.relnamespace::regnamespace::text as schema_name,
    class.relname as name
from pg_index as index
inner join pg_class as class on class.oid = index.indexrelid
where not index.indisvalid and class.relnamespace in (to_regnamespace('app'), to_regnamespace('analytics'));


-- name: record
-- Records a migration as applied.
-- in:  {migrations}: the table that records them; %(name)s; %(checksum)s
insert into {migrations} (name, checksum)
values (%(name)s, %(checksum)s)
on conflict (name) do update set checksum = excluded.checksum, applied_at = excluded.applied_at;


-- name: lock
-- Takes the lock of migrations until the end of the transaction, if no other holds it.
-- out: one row: is_taken
select pg_try_advisory_xact_lock(hashtextextended('migrate', 0)) as is_taken;
