-- name: settings
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


-- name: lock
-- Waits for the advisory locks of refreshes; later statements time out waiting for locks.
-- in:  %(locks)s; %(lock_timeout)s
select
    (
        select count(pg_advisory_xact_lock(hashtextextended(name, 0)))
        from (select unnest(%(locks)s::text[]) as name order by name) as locks
    ),
    set_config('lock_timeout', %(lock_timeout)s, true);


-- name: begin
-- The settings of a refresh, independent of the defaults of server, role and pooler. A user's function, such as
-- public.to_char(date, text), is never found in place of PostgreSQL's. With row_security off, a policy that would hide rows of a
-- source raises an error. Otherwise a role that sees no rows would delete what is derived from them.
-- Commits are asynchronous: after a crash of the server the last commits are lost, the watermark among them.
-- Other refreshes are waited for much longer than for the application; later statements see what they committed.
-- Pages are expected in memory: otherwise chunks of a table that is not small would each read all of it.
-- Temporary tables are analyzed by a small sample.
-- A transaction that is idle is ended: its process is frozen or cut off, and others wait for its locks.
-- in:  %(timeout)s: milliseconds a statement may take; %(idle_timeout)s: of an idle transaction; %(lock_timeout)s; %(locks)s:
--      names of advisory locks; %(wait)s: for these; %(is_shared)s: they are shared with other transactions that do so;
--      %(is_few)s: statements read a few keys, by index and nested loops, alone, and their plans do not depend on these keys
select
    set_config('lock_timeout', %(wait)s, true),
    (
        select
            count(
                case
                    when %(is_shared)s then pg_advisory_xact_lock_shared(hashtextextended(name, 0))
                    else pg_advisory_xact_lock(hashtextextended(name, 0))
                end
            )
        from (select unnest(%(locks)s::text[]) as name order by name) as locks
    ),
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO, YMD', true),
    set_config('intervalstyle', 'postgres', true),
    set_config('standard_conforming_strings', 'on', true),
    set_config('transform_null_equals', 'off', true),
    set_config('array_nulls', 'on', true),
    set_config('search_path', '', true),
    set_config('row_security', 'off', true),
    set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, true),
    set_config('statement_timeout', %(timeout)s, true),
    set_config('lock_timeout', %(lock_timeout)s, true),
    set_config('synchronous_commit', 'off', true),
    set_config('jit', 'off', true),
    set_config('work_mem', '64MB', true),
    set_config('default_statistics_target', '10', true),
    set_config('parallel_setup_cost', '10000', true),
    set_config('random_page_cost', '1.1', true),
    set_config('plan_cache_mode', case when %(is_few)s then 'force_generic_plan' else 'auto' end, true),
    set_config('enable_seqscan', case when %(is_few)s then 'off' else 'on' end, true),
    set_config('enable_hashjoin', case when %(is_few)s then 'off' else 'on' end, true),
    set_config('enable_mergejoin', case when %(is_few)s then 'off' else 'on' end, true),
    set_config(
        'max_parallel_workers_per_gather',
        case when %(is_few)s then '0' else current_setting('max_parallel_workers_per_gather') end,
        true
    );


-- name: limit
-- Timeouts for the rest of the transaction.
-- in:  %(timeout)s: milliseconds; %(lock_timeout)s
select
    set_config('statement_timeout', %(timeout)s, true),
    set_config('lock_timeout', %(lock_timeout)s, true);
