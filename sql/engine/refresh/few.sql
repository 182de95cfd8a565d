-- Refreshes a few keys in one statement: compares their rows with those that there should be, locks the rows to write and the
-- rows they refer to, writes and propagates the differences, and logs what is locked for retry. Chunks do the same in several
-- statements, with temporary tables.
-- in:  {queries}: keys, those on which the table's own are based, present, computed, wanted, differences, the locks, diff (the
--      differences after that), those that write, propagated, retried, odd, counts; {present_counts}, {rows_read}, {saved_keys}
-- out: one row: present, odd, rows_read as compare.sql; counts: what was done, as counts.sql; saved (the keys of the rows
--      that were inserted, of a table whose own triggers may change them)
with {queries}

select
    ({present_counts}) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd,
    ({rows_read}) as rows_read,
    (select jsonb_agg(to_jsonb(counts)) from counts) as counts,
    ({saved_keys}) as saved;
