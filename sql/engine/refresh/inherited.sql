-- Columns of a table of analytics whose foreign key refers to a table with children (INHERITS): it sees no row of theirs.
-- in:  %(relation)s
-- out: one row per column: column_name
select attribute.attname::text as column_name
from pg_constraint as key
inner join pg_attribute as attribute on attribute.attrelid = key.conrelid and attribute.attnum = key.conkey[1]
where key.contype = 'f'
    and key.connamespace = 'analytics'::regnamespace
    and key.conrelid = %(relation)s::regclass
    and exists (
        select from pg_inherits
        inner join pg_class as heir on heir.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = key.confrelid and not heir.relispartition
    );
