-- What names this database, but no copy of it by dump or template.
-- out: one row: identity
select
    (select system_identifier from pg_control_system()) || '/' || (
        select oid from pg_database where datname = current_database()
    ) as identity;
