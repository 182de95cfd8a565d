-- Compares the rows that there should be with the rows that are there, in one snapshot.
-- in:  {rows}: a query for the former; {is_referable}: which of them a foreign key allows; {target}, {is_present}: the latter;
--      {columns}; {differences}: between both; {present_counts}, {odd}, {rows_read}
-- out: diff; one row: present (rows before, by part); odd (rows of the sources that are left out, or read otherwise than written:
--      kind, rows, example); rows_read (rows of the sources that were read, by part)
with present as (
    select {columns} from {target} as target
    where {is_present}
),

computed as (
{rows}
),

wanted as (
    select {columns} from computed
    where {is_referable}
),

compared as (
    insert into diff (change, day, is_news, {columns})
    {differences}
),

odd as (
{odd}
)

select
    ({present_counts}) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd,
    ({rows_read}) as rows_read;
