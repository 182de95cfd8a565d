-- Whether anything was written to app or analytics, deletes included, without reading them: PostgreSQL counts it.
-- out: one row: fingerprint, the same as long as nothing was; it also changes after a crash and after truncate
select concat_ws(
    ':',
    sum(n_tup_ins + n_tup_del),
    sum(n_tup_upd) filter (where relname <> 'project_link_inconsistencies'),  -- each look sets last_seen_at
    sum(hashoid(pg_relation_filenode(relid)))
) as fingerprint
from pg_stat_all_tables
where schemaname in ('app', 'analytics') and relname not in ('refresh_watermarks', 'crew_discovery_state');
