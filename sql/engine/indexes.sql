-- name: deferrable
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


-- name: note
-- Notes an index that is dropped until its table is built.
-- in:  %(table_name)s, %(index_name)s, %(definition)s
insert into analytics.deferred_indexes (table_name, index_name, definition)
values (%(table_name)s, %(index_name)s, %(definition)s)
on conflict (index_name) do nothing;


-- name: begin
-- Keeps other processes from making the indexes of a table until the transaction ends. It is idle meanwhile, and without a
-- snapshot, for which CREATE INDEX CONCURRENTLY would wait: with parameters, the server would keep that of this statement.
-- in:  {table_name}
-- out: one row: is_mine (false: another process makes them)
select
    set_config('idle_in_transaction_session_timeout', '0', true),
    pg_try_advisory_xact_lock(hashtextextended('indexes of ' || {table_name}, 0)) as is_mine;


-- name: missing
-- The indexes of a table that have been dropped until it is built.
-- in:  %(table_name)s
-- out: index_name, definition, is_there, is_valid (false: what an interrupted attempt has left)
select
    deferred.index_name,
    deferred.definition,
    index.indexrelid is not null as is_there,
    coalesce(index.indisvalid, false) as is_valid
from analytics.deferred_indexes as deferred
left join pg_index as index on index.indexrelid = to_regclass('analytics.' || quote_ident(deferred.index_name))
where deferred.table_name = %(table_name)s
order by deferred.index_name;


-- name: done
-- Forgets an index that has been made again.
-- in:  %(index_name)s
delete from analytics.deferred_indexes
where index_name = %(index_name)s;
