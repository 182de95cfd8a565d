-- Empties a log, but for changes of transactions that may be open.
-- in:  {log}
delete from {log}
where xid < pg_snapshot_xmin(pg_current_snapshot());
