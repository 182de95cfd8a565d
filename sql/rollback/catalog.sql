-- What a rollback may take away: relations and their columns, functions, foreign keys, places in publications, and rights.
-- out: description, kind (class, attribute, function, constraint, publication, right, reading), schema_name, name (of the
--      relation or function; null: all of the schema), column_name
with relations as (
    select
        class.oid,
        namespace.nspname::text as schema_name,
        class.relname::text as name
    from pg_class as class
    inner join pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relkind in ('r', 'p', 'v', 'm', 'f')
        and namespace.nspname !~ '^pg_' and namespace.nspname <> 'information_schema'
)

select
    pg_describe_object('pg_class'::regclass, oid, 0) as description,
    'class' as kind,
    schema_name,
    name,
    null as column_name
from relations
union all
select
    pg_describe_object('pg_class'::regclass, attrelid, attnum),
    'attribute',
    schema_name,
    name,
    attname::text
from pg_attribute
inner join relations on relations.oid = attrelid
where attnum > 0 and not attisdropped
union all
select
    pg_describe_object('pg_proc'::regclass, pg_proc.oid, 0),
    'function',
    nspname,
    proname,
    null
from pg_proc
inner join pg_namespace on pg_namespace.oid = pronamespace
where nspname !~ '^pg_' and nspname <> 'information_schema'
union all
select
    pg_describe_object('pg_constraint'::regclass, pg_constraint.oid, 0),
    'constraint',
    schema_name,
    name,
    null
from pg_constraint
inner join relations on relations.oid = conrelid
where contype = 'f'
union all
select
    pg_describe_object('pg_publication_rel'::regclass, pg_publication_rel.oid, 0),
    'publication',
    schema_name,
    name,
    null
from pg_publication_rel
inner join relations on relations.oid = prrelid
union all
select
    format('the right of %%s to call %%s', given.grantee::regrole, pg_describe_object('pg_proc'::regclass, pg_proc.oid, 0)),
    'right',
    nspname,
    proname,
    null
from pg_proc
inner join pg_namespace on pg_namespace.oid = pronamespace
cross join aclexplode(proacl) as given
where nspname in ('app', 'analytics', 'curation') and given.grantee not in (0, proowner)
union all
select
    format('the right of %%s to use schema %%s', given.grantee::regrole, nspname),
    'right',
    nspname,
    null,
    null
from pg_namespace
cross join aclexplode(nspacl) as given
where nspname in ('app', 'analytics', 'curation') and given.grantee not in (0, nspowner) and given.privilege_type = 'USAGE'
union
select
    format(
        'the right of %%s to read columns of %%s',
        given.grantee::regrole,
        pg_describe_object('pg_class'::regclass, relations.oid, 0)
    ),
    'reading',
    schema_name,
    name,
    null
from relations
inner join pg_attribute on attrelid = relations.oid
cross join aclexplode(attacl) as given
where schema_name = 'analytics' and given.privilege_type = 'SELECT';
