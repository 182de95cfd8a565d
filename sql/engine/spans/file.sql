-- The file of a relation: another one after VACUUM FULL, CLUSTER and other statements that move its rows.
-- in:  %(relation)s
-- out: one row: file (null: it has none)
select pg_relation_filenode(%(relation)s::regclass) as file;
