-- Creates the triggers of new histories tables.
-- in:  %(table_oids)s
-- out: oid: of each that is captured now; the others are left
select oid from analytics.capture_tables(%(table_oids)s::oid[]::regclass[]) as oid;
