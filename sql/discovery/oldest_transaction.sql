-- The start of the oldest transaction of this database that may still write; a prepared one may be of any age.
-- in:  %(ignored)s: application_name of sessions that do not count, or null
-- out: one row: started_at (null: none is open; epoch: unknown)
select case
    when not pg_has_role('pg_read_all_stats', 'usage') then 'epoch'::timestamptz  -- cannot see: assume the worst
    when exists (select from pg_prepared_xacts where database = current_database()) then 'epoch'
    else (
        select min(xact_start) from pg_stat_activity
        where datname = current_database()
            and pid <> pg_backend_pid()
            and backend_type not in ('autovacuum worker', 'walsender')
            and application_name is distinct from %(ignored)s
    )
end as started_at;
