-- A snapshot of now.
-- out: one row: to_snapshot
select pg_current_snapshot()::text as to_snapshot;
