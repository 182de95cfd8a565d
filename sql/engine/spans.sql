-- name: blocks
-- The keys of blocks of a relation, so that the rows of a chunk are neighbours, there and in what was written with them.
-- in:  {relation}, {column}: the column with the key; {key}; %(first)s, %(end)s: positions of rows, half-open
select {column} as {key} from {relation}
where ctid >= %(first)s::tid and ctid < %(end)s::tid;


-- name: gone
-- The keys of rows whose key is not in the source.
-- in:  {target}, {keyed}: its column with the key; {key}; {relation}, {column}: the source
select distinct {keyed} as {key} from {target} as target
where not exists (select from {relation} as source where source.{column} = target.{keyed});


-- name: relation
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


-- name: file
-- The file of a relation: another one after VACUUM FULL, CLUSTER and other statements that move its rows.
-- in:  %(relation)s
-- out: one row: file (null: it has none)
select pg_relation_filenode(%(relation)s::regclass) as file;
