-- Waits for the advisory locks of refreshes; later statements time out waiting for locks.
-- in:  %(locks)s; %(lock_timeout)s
select
    (
        select count(pg_advisory_xact_lock(hashtextextended(name, 0)))
        from (select unnest(%(locks)s::text[]) as name order by name) as locks
    ),
    set_config('lock_timeout', %(lock_timeout)s, true);
