-- The settings of statements outside of transactions, independent of the defaults of server, database and role. No JIT, sorts
-- in memory, no parallel workers: those would cost more than a tick's statements. Transactions have settings of their own.
-- in:  %(timeout)s: of a statement, and of an idle transaction; %(lock_timeout)s
select
    set_config('timezone', 'UTC', false),
    set_config('datestyle', 'ISO, YMD', false),
    set_config('intervalstyle', 'postgres', false),
    set_config('extra_float_digits', '1', false),
    set_config('bytea_output', 'hex', false),
    set_config('standard_conforming_strings', 'on', false),
    set_config('array_nulls', 'on', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_read_only', 'off', false),
    set_config('lock_timeout', %(lock_timeout)s, false),
    set_config('statement_timeout', %(timeout)s, false),
    set_config('idle_in_transaction_session_timeout', %(timeout)s, false),
    set_config('quote_all_identifiers', 'off', false),
    set_config('jit', 'off', false),
    set_config('work_mem', '64MB', false),
    set_config('parallel_setup_cost', '10000', false),
    (
        select count(set_config(name, '0', false)) from pg_settings
        where name in ('idle_session_timeout', 'transaction_timeout')
    );
