-- Stores up to where the lake has read the log of a table.
-- in:  %(name)s: the table; %(to_snapshot)s: up to which; %(committed)s: the watermark of the Iceberg table
update analytics.lake_state
set
    snapshot = %(to_snapshot)s::pg_snapshot,
    committed = %(committed)s::pg_snapshot,
    attempted_at = now()
where table_name = %(name)s;
