-- The keys that the last tick logged for retry.
-- in:  {keys}: as the log and the keys name them; {log}; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
select {keys} from {log}
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and operation = 'retry'
