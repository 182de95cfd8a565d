-- The transactions of this database that may still write. Any role sees them.
-- in:  %(ignored)s: application_name of sessions that do not count, or null
-- out: one row: ids (virtualxid), is_one_prepared (a prepared transaction waits: it may have written anything)
select
    coalesce(array_agg(lock.virtualxid), array[]::text[]) as ids,
    exists (select from pg_prepared_xacts where database = current_database()) as is_one_prepared
from pg_locks as lock
inner join pg_stat_activity as activity on activity.pid = lock.pid
where lock.locktype = 'virtualxid'
    and lock.mode = 'ExclusiveLock'  -- its own, not one it waits for
    and lock.pid <> pg_backend_pid()
    and activity.datname = current_database()
    and coalesce(activity.backend_type, '') not in ('autovacuum worker', 'walsender')
    and activity.application_name is distinct from %(ignored)s;
