-- Keeps other processes from making the indexes of a table until the transaction ends. It is idle meanwhile, and without a
-- snapshot, for which CREATE INDEX CONCURRENTLY would wait: with parameters, the server would keep that of this statement.
-- in:  {table_name}
-- out: one row: is_mine (false: another process makes them)
select
    set_config('idle_in_transaction_session_timeout', '0', true),
    pg_try_advisory_xact_lock(hashtextextended('indexes of ' || {table_name}, 0)) as is_mine;
