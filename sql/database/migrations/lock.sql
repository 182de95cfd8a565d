-- Takes the lock of migrations until the end of the transaction, if no other holds it.
-- out: one row: is_taken
select pg_try_advisory_xact_lock(hashtextextended('migrate', 0)) as is_taken;
