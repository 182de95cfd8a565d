-- The size of a relation that can be read block by block.
-- in:  %(relation)s; %(table_name)s: its name, if it is a table of the application: only if its changes are logged, because an
--      update moves a row to another block
-- out: a row if it can: blocks; keys (about so many in a block)
select
    pg_relation_size(oid) / current_setting('block_size')::int as blocks,
    case when reltuples > 0 and relpages > 0 then greatest(reltuples / relpages, 1)::int else 50 end as keys
from pg_class
where oid = %(relation)s::regclass
    and relkind = 'r'
    and not relhassubclass
    and (
        %(table_name)s::text is null
        or exists (select from analytics.capture_state where table_name = %(table_name)s and mode = 'captured')
    );
