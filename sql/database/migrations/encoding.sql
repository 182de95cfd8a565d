-- The database, and its encoding.
-- out: one row: name, encoding
select
    current_database() as name,
    current_setting('server_encoding') as encoding;
