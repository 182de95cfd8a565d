-- Compares the rows that there should be with the rows that are there, in one snapshot.
-- in:  {rows}: a query for the former; {target}, {is_present}: the latter; {columns}, {key}, {first_key}, {compared}: the
--      target's columns, and how they are selected from the join; {is_different}: which rows are written to diff; {day}: the
--      UTC day of activity of a row; {is_news}: whether it is more than a correction; {odd}, {rows_read}
-- out: diff; one row: present (rows before); odd (rows of the sources that are left out, or read otherwise than written: kind,
--      rows, example); rows_read (rows of the sources that were read, or null)
with present as (
    select {columns} from {target} as target
    where {is_present}
),

computed as (
{rows}
),

wanted as (
    select {columns} from computed
),

compared as (
    insert into pg_temp.diff (change, day, is_news, {columns})
    select
        case
            when present.{first_key} is null then 'inserted'
            when wanted.{first_key} is null then 'deleted'
            when wanted is distinct from present then 'updated'
            else 'seen'
        end,
        ({day}),
        {is_news},
        {compared}
    from wanted
    full join present using ({key})
    where {is_different}
),

odd as (
{odd}
)

select
    (select count(*) from present) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd,
    ({rows_read}) as rows_read;
