-- Where the server is.
-- out: one row: data_directory (null if this role may not see it), address (null: a socket of its machine)
select
    (select setting from pg_settings where name = 'data_directory') as data_directory,
    host(inet_server_addr()) as address;
