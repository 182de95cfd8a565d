-- Makes all transactions that a snapshot saw reach the disk: this one commits synchronously, and writes after them.
-- in:  %(name)s: the table
update analytics.lake_state set attempted_at = now()
where table_name = %(name)s;
