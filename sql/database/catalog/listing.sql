-- Lists the catalog of app, analytics and curation: one row per object, without owners and the rights of roles, and
-- independent of the server's version. Needs an empty search_path, so that every name is qualified.
-- out: object, definition; sorted
with relations as (
    select
        class.oid,
        format('%I.%I', namespace.nspname, class.relname) as name,
        namespace.nspname as schema_name,
        class.relkind,
        class.relpersistence,
        class.relreplident,
        class.reloptions,
        case class.relkind when 'v' then 'view' else 'table' end as kind
    from pg_class as class
    inner join pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname in ('app', 'analytics', 'curation') and class.relkind in ('r', 'p', 'v')
        and class.relname not like 'schema\_migration%'
),

-- Since PostgreSQL 16 a view's definition does not qualify columns if it reads one table: qualifiers are left out, and the
-- columns that the view reads are compared instead.
view_columns as (
    select
        rule.ev_class as oid,
        string_agg(distinct format('%s.%I', depend.refobjid::regclass, attribute.attname), ', ') as names
    from pg_rewrite as rule
    inner join pg_depend as depend on depend.classid = 'pg_rewrite'::regclass and depend.objid = rule.oid
    inner join pg_attribute as attribute
        on attribute.attrelid = depend.refobjid and attribute.attnum = depend.refobjsubid
    where depend.refclassid = 'pg_class'::regclass and depend.refobjsubid > 0 and depend.refobjid <> rule.ev_class
    group by rule.ev_class
),

routines as (
    select
        proc.*,
        format(
            '%I.%I(%s)', proc.pronamespace::regnamespace, proc.proname, pg_get_function_identity_arguments(proc.oid)
        ) as name
    from pg_proc as proc
    where proc.pronamespace in (
        select oid from pg_namespace
        where nspname in ('app', 'analytics', 'curation')
    )
),

objects (object, definition) as (
    select
        'schema ' || nspname,
        ''
    from pg_namespace
    where nspname in ('app', 'analytics', 'curation')
    union all
    select
        'comment on schema ' || nspname,
        obj_description(oid, 'pg_namespace')
    from pg_namespace
    where nspname in ('analytics', 'curation')
    union all
    select
        'table ' || name,
        concat_ws(
            ' ',
            case relpersistence when 'u' then 'unlogged' end,
            case relreplident when 'f' then 'replica identity full' end,
            array_to_string(reloptions, ' ')
        )
    from relations
    where kind = 'table'
    union all
    select
        'view ' || relations.name,
        concat_ws(
            ' ',
            md5(
                replace(
                    regexp_replace(
                        regexp_replace(pg_get_viewdef(relations.oid), '\s+', ' ', 'g'),
                        '\m(?!(app|analytics|curation)\.)[a-z_]+\.(?=[a-z_])', '', 'g'
                    ),
                    '::text AS text', '::text'
                )
            ),
            md5(view_columns.names)
        )
    from relations
    left join view_columns on view_columns.oid = relations.oid
    where relations.kind = 'view'
    union all
    select
        format('comment on %s %s', kind, name),
        obj_description(oid, 'pg_class')
    from relations
    union all
    select
        format('column %s.%I', relations.name, attribute.attname),
        concat_ws(
            ' ',
            format_type(attribute.atttypid, attribute.atttypmod),
            case when attribute.attnotnull then 'not null' end,
            case when attribute.attidentity <> '' then 'identity ' || attribute.attidentity::text end,
            'default ' || pg_get_expr(attrdef.adbin, attrdef.adrelid)
        )
    from relations
    inner join pg_attribute as attribute
        on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
    left join pg_attrdef as attrdef on attrdef.adrelid = attribute.attrelid and attrdef.adnum = attribute.attnum
    union all
    select
        format('comment on column %s.%I', relations.name, attribute.attname),
        col_description(relations.oid, attribute.attnum)
    from relations
    inner join pg_attribute as attribute
        on attribute.attrelid = relations.oid and attribute.attnum > 0 and not attribute.attisdropped
    union all
    select
        format('constraint %I on %s', con.conname, relations.name),
        pg_get_constraintdef(con.oid)
    from relations
    inner join pg_constraint as con on con.conrelid = relations.oid and con.contype in ('p', 'u', 'f', 'c', 'x')
    union all
    select
        format('index %I.%I', relations.schema_name, class.relname),
        pg_get_indexdef(index.indexrelid) || case when index.indisvalid then '' else ' invalid' end
    from relations
    inner join pg_index as index on index.indrelid = relations.oid
    inner join pg_class as class on class.oid = index.indexrelid
    where not exists (
        select from pg_constraint
        where conindid = index.indexrelid and contype in ('p', 'u', 'x')
    )
    union all
    select
        format('trigger %I on %s', trigger.tgname, relations.name),
        pg_get_triggerdef(trigger.oid)
        || case when trigger.tgenabled = 'O' then '' else ' enabled ' || trigger.tgenabled::text end
    from relations
    inner join pg_trigger as trigger on trigger.tgrelid = relations.oid and not trigger.tgisinternal
    where relations.schema_name <> 'app' or trigger.tgname not like 'convo\_pipelines\_%'
    union all
    select
        'function ' || name,
        concat_ws(
            ' ',
            pg_get_function_arguments(oid),
            'returns',
            pg_get_function_result(oid),
            'volatility',
            provolatile,
            'parallel',
            proparallel,
            case when prosecdef then 'security definer' end,
            case when proisstrict then 'strict' end,
            array_to_string(proconfig, ' '),
            case
                when exists (
                    select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as grants
                    where grants.grantee = 0
                ) then 'public'
            end,
            md5(regexp_replace(coalesce(pg_get_function_sqlbody(oid), prosrc), '\s+', ' ', 'g'))
        )
    from routines
    union all
    select
        'comment on function ' || name,
        obj_description(oid, 'pg_proc')
    from routines
)

select
    object,
    definition
from objects
where definition is not null
order by object collate "C";
