-- out: one row: estimated rows of the tables of the recency queries, and number of scans of their indexes
select
    (select reltuples::bigint from pg_class where oid = 'app.messages'::regclass) as messages_rows,
    (select reltuples::bigint from pg_class where oid = 'app.conversations'::regclass) as conversations_rows,
    coalesce(sum(idx_scan) filter (where indexrelname = 'messages_recency'), 0)::bigint as messages_reads,
    coalesce(sum(idx_scan) filter (where indexrelname = 'conversations_recency'), 0)::bigint as conversations_reads
from pg_stat_user_indexes
where schemaname = 'app';
