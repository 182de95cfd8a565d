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
