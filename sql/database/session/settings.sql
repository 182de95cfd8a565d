-- The settings of statements outside of transactions, independent of the defaults of server, database and role. No JIT, sorts
-- in memory, no parallel workers: those would cost more than a tick's statements. Transactions have settings of their own.
-- in:  %(timeout)s: of a statement; %(idle_timeout)s: of an idle transaction; %(lock_timeout)s; %(is_local)s: for the open
--      transaction, or for the session
select
    set_config('timezone', 'UTC', %(is_local)s),
    set_config('datestyle', 'ISO, YMD', %(is_local)s),
    set_config('intervalstyle', 'postgres', %(is_local)s),
    set_config('extra_float_digits', '1', %(is_local)s),
    set_config('bytea_output', 'hex', %(is_local)s),
    set_config('standard_conforming_strings', 'on', %(is_local)s),
    set_config('transform_null_equals', 'off', %(is_local)s),
    set_config('array_nulls', 'on', %(is_local)s),
    set_config('default_transaction_isolation', 'read committed', %(is_local)s),
    set_config('default_transaction_read_only', 'off', %(is_local)s),
    set_config('lock_timeout', %(lock_timeout)s, %(is_local)s),
    set_config('statement_timeout', %(timeout)s, %(is_local)s),
    set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, %(is_local)s),
    set_config('quote_all_identifiers', 'off', %(is_local)s),
    set_config('jit', 'off', %(is_local)s),
    set_config('work_mem', '64MB', %(is_local)s),
    set_config('parallel_setup_cost', '10000', %(is_local)s),
    (
        select count(set_config(name, '0', %(is_local)s)) from pg_settings
        where name in ('idle_session_timeout', 'transaction_timeout')
    );
