-- out: one row: taken, a snapshot of now
select pg_current_snapshot()::text as taken;
