-- What statements outside of transactions rely on, whatever the server's, the database's or the role's defaults; compiling,
-- sorting on disk and starting workers cost more than a tick's statements. Transactions set it again, for themselves.
-- in:  %(timeout)s: of a statement, and of doing nothing in a transaction; %(lock_timeout)s
select
    set_config('timezone', 'UTC', false),
    set_config('datestyle', 'ISO, YMD', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_read_only', 'off', false),
    set_config('lock_timeout', %(lock_timeout)s, false),
    set_config('statement_timeout', %(timeout)s, false),
    set_config('idle_in_transaction_session_timeout', %(timeout)s, false),
    set_config('quote_all_identifiers', 'off', false),
    set_config('jit', 'off', false),
    set_config('work_mem', '64MB', false),
    set_config('parallel_setup_cost', '10000', false),
    (select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout');
