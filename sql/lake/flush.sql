-- Makes all transactions that a snapshot saw reach the disk: this one commits synchronously, and writes after them.
-- in:  %(name)s: the table
insert into analytics.lake_state (table_name, attempted_at) values (%(name)s, now())
on conflict (table_name) do update set attempted_at = excluded.attempted_at;
