-- Writes the differences.
-- in:  {write}: the queries that write, the one of the inserted rows among them
-- out: one row: rows (inserted or updated)
with {write}

select count(*) as rows from saved;
