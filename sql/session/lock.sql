-- Waits for the advisory lock of a table's refreshes; from then on nothing waits long.
-- in:  %(lock)s; %(lock_timeout)s
select
    pg_advisory_xact_lock(hashtextextended(%(lock)s, 0)),
    set_config('lock_timeout', %(lock_timeout)s, true);
