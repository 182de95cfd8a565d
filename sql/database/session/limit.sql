-- Timeouts for the rest of the transaction.
-- in:  %(timeout)s: milliseconds; %(lock_timeout)s
select
    set_config('statement_timeout', %(timeout)s, true),
    set_config('lock_timeout', %(lock_timeout)s, true);
