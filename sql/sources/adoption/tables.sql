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
