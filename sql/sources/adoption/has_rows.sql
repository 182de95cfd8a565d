-- Whether a table has rows.
-- in:  {relation}
-- out: one row: has_rows
select exists (select from {relation}) as has_rows;
