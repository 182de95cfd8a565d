-- How many rows of each crew there are; of a table that is not read per crew, in all.
-- in:  present; {crew}
select jsonb_object_agg(crew, rows) from (
    select coalesce({crew}::text, '') as crew, count(*) as rows from present
    group by 1
) as counted
