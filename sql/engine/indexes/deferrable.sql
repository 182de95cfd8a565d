-- The indexes of a table of this role's that a build does not need: neither unique, nor the only one by one of these columns.
-- in:  %(relation)s; %(columns)s
-- out: index_name, definition (the statement that creates it)
select
    class.relname as index_name,
    regexp_replace(pg_get_indexdef(class.oid), '^CREATE INDEX', 'CREATE INDEX CONCURRENTLY') as definition
from pg_index as index
inner join pg_class as class on class.oid = index.indexrelid
inner join pg_class as target on target.oid = index.indrelid
inner join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
where index.indrelid = %(relation)s::regclass
    and not index.indisunique
    and pg_has_role(target.relowner, 'usage')
    and (
        attribute.attname <> all(%(columns)s::text[])
        or exists (
            select from pg_index as other
            where other.indrelid = index.indrelid and other.indisunique and other.indpred is null
                and other.indkey[0] = index.indkey[0]
        )
    )
order by index_name;
