-- How many rows of each part there are; of a table without a reader, in all.
-- in:  present; {part}
select jsonb_object_agg(part, rows) from (
    select coalesce({part}::text, '') as part, count(*) as rows from present
    group by 1
) as counted
