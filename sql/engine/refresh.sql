-- name: is_awaited
-- Whether a table has begun to read what a refresh writes; those that have not will read all of it, and are kept from beginning
-- until the refresh is committed.
-- in:  %(followers)s: the tables that read it
-- out: one row: is_awaited
with unbuilt as (
    select asset_key from analytics.refresh_state
    where asset_key = any(%(followers)s::text[]) and snapshot is null and building is null
    order by asset_key
    for share
)

select count(*) < cardinality(%(followers)s::text[]) as is_awaited from unbuilt;


-- name: counts
-- Counts what a refresh does, by part; of a table without a reader, in all.
-- in:  diff; {part}
-- out: one row per part: part, rows, inserted, updated, deleted, locked; days (UTC days of activity of the changed rows)
select
    coalesce({part}::text, '') as part,
    count(*) as rows,
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted,
    count(*) filter (where change = 'locked') as locked,
    coalesce(
        jsonb_agg(distinct day_of_row) filter (
            where change in ('inserted', 'updated', 'deleted') and day_of_row >= '0001-01-02' and day_of_row < '9999-12-30'
        ),
        '[]'
    ) as days
from diff
group by 1;


-- name: columns
-- The columns of a table that a refresh computes: those without a default or, of a table of the application, those of a list that
-- the application does not generate itself.
-- in:  %(relation)s; %(inserted)s: the list, or null
-- out: one row: columns, in their order
select array_agg(attname::text order by attnum) as columns
from pg_attribute
where attrelid = %(relation)s::regclass
    and attnum > 0
    and not attisdropped
    and attgenerated = ''
    and case
        when %(inserted)s::text[] is null then not atthasdef and attidentity = ''
        else attname = any(%(inserted)s::text[])
    end;


-- name: diff
-- Creates the temporary table of the differences that a refresh finds; it is dropped at the end of the transaction.
-- in:  {target}, {columns}
-- out: diff (change: inserted, updated, deleted, seen (right, but written to record that), locked (left for the next tick) or
--      refused (by a rule of the application); day_of_row: a UTC day of activity; is_news: more than a correction;
--      and the columns that the refresh computes)
create temporary table pg_temp.diff on commit drop as
select
    null::text as change,
    null::date as day_of_row,
    null::boolean as is_news,
    {columns}
from {target}
with no data;


-- name: inherited
-- Columns of a table of analytics whose foreign key refers to a table with children (INHERITS): it sees no row of theirs.
-- in:  %(relation)s
-- out: one row per column: column_name
select attribute.attname::text as column_name
from pg_constraint as key
inner join pg_attribute as attribute on attribute.attrelid = key.conrelid and attribute.attnum = key.conkey[1]
where key.contype = 'f'
    and key.connamespace = 'analytics'::regnamespace
    and key.conrelid = %(relation)s::regclass
    and exists (
        select from pg_inherits
        inner join pg_class as heir on heir.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = key.confrelid and not heir.relispartition
    );


-- name: odd
-- For tables whose sources have no odd rows.
-- out: kind, rows, example
select
    null::text as kind,
    0::bigint as rows,
    null::text as example;


-- name: rows_read
-- For tables that do not count the rows of their sources.
select null::jsonb;


-- name: days
-- The UTC days of activity of all rows of a table.
-- in:  {target}; {day}: of a row
-- out: one row per day: day
select distinct days.day
from {target} as present
left join {target} as wanted on false
cross join lateral (select ({day}) as day) as days
where days.day >= '0001-01-02' and days.day < '9999-12-30'
order by days.day;


-- name: lock_rows
-- Locks the rows that are to change; those that another session has locked are left for the next tick.
-- in:  diff; {free_rows}: the rows that could be locked; {is_locked}: whether a row could not
with free as materialized (
{free_rows}
)

update diff
set change = 'locked'
where {is_locked};


-- name: lock_parents
-- Locks the rows of the application that new rows refer to by one column. Rows whose parent another session has locked, or
-- deleted, are left for the next tick.
-- in:  diff; {free_parents}: the ids that could be locked, as {free}; {is_locked}: whether one could not
with {free} as materialized (
{free_parents}
)

update diff
set change = 'locked'
where {is_locked};


-- name: written
-- Writes the differences.
-- in:  {write}: the queries that write, the one of the inserted rows among them
-- out: one row: rows (inserted or updated)
with {write}

select count(*) as rows from saved;


-- name: write
-- Writes the differences: inserts missing rows, updates those that differ, deletes those that should not exist.
-- in:  {target}, diff, {key}, {same_key}, {columns}, {assignments}
-- out: queries of a statement
removed as (
    delete from {target} as target
    using diff
    where diff.change = 'deleted' and {same_key}
),

saved as (
    insert into {target} as target ({columns})
    select {columns} from diff
    where change in ('inserted', 'updated', 'seen')
    order by {key}
    on conflict ({key}) do update set {assignments}
    returning 1
);


-- name: retry
-- Logs retries: the keys of locked rows.
-- in:  diff; {log}, {logged}: its columns that the rows have
insert into {log} ({logged}, operation)
select distinct
    {logged},
    'retry'
from diff
where change = 'locked';


-- name: is_any
-- Which rows are written, in tables that record when each was last found: all.
true;


-- name: is_present
-- Which rows of a table the keys concern: those with the same key columns.
-- in:  keys; {keyed}: the target's columns; {keys}: those of the keys
({keyed}) in (select {keys} from keys);


-- name: is_missing
-- Which rows are written, in insert-only tables: those that are missing.
-- in:  {first_key}
present.{first_key} is null;


-- name: differences
-- The rows that differ from those that there should be.
-- in:  wanted, present: the rows that there should be, and those that are there; {key}, {first_key}, {compared}: the target's
--      columns, and how they are selected from the join; {is_different}: which rows are written; {day}: the UTC day of activity
--      of a row; {is_news}: whether it is more than a correction
-- out: change, day_of_row, is_news, and the columns that the refresh computes: see diff
select
    case
        when present.{first_key} is null then 'inserted'
        when wanted.{first_key} is null then 'deleted'
        when wanted is distinct from present then 'updated'
        else 'seen'
    end as change,
    ({day}) as day_of_row,
    {is_news} as is_news,
    {compared}
from wanted
full join present using ({key})
where {is_different};


-- name: no_day
-- The UTC day of a row, for tables whose rows have none.
null::date;


-- name: day_of_date
-- The UTC day of a row that has a column with it.
-- in:  {day}
coalesce(wanted.{day}, present.{day});


-- name: day_of_time
-- The UTC day of a row that has a column with a time in it.
-- in:  {day}
(coalesce(wanted.{day}, present.{day}) at time zone 'UTC')::date;


-- name: is_referable
-- Whether a foreign key can refer to the row that a column names: not to one of a table that inherits.
-- in:  {column}; {parent}: the table in app that it refers to
({column} is null or {column} in (select id from only {parent}));


-- name: compare
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
    insert into diff (change, day_of_row, is_news, {columns})
    {differences}
),

odd as (
{odd}
)

select
    ({present_counts}) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd,
    ({rows_read}) as rows_read;


-- name: free_rows
-- Locks the rows that are to change; those that another session has locked are skipped.
-- in:  {diff}: the differences; {target}, {key}, {same_key}
-- out: {key}
select {key}
from {target} as target
where exists (
    select from {diff} as diff
    where diff.change in ('updated', 'deleted', 'seen') and {same_key}
)
order by {key}
for update skip locked;


-- name: free_parents
-- Locks the rows of the application that new rows refer to by one column; those that another session has locked, or deleted, are
-- skipped.
-- in:  {diff}: the differences; {column}; {parent}: the table in app that it refers to
-- out: id
select locked.id
from analytics.lock_parents(
    {parent},
    array(
        select distinct {column} from {diff} as diff
        where change in ('inserted', 'updated') and {column} is not null
    )
) as locked (id);


-- name: settled
-- The differences, with those that could not be locked marked.
-- in:  differences; {is_locked}; {columns}
select
    case when {is_locked} then 'locked' else change end as change,
    day_of_row,
    is_news,
    {columns}
from differences as diff;


-- name: few
-- Refreshes a few keys in one statement: compares their rows with those that there should be, locks the rows to write and the
-- rows they refer to, writes and propagates the differences, and logs what is locked for retry. Chunks do the same in several
-- statements, with temporary tables.
-- in:  {queries}: keys, those on which the table's own are based, present, computed, wanted, differences, the locks, diff (the
--      differences after that), those that write, propagated, retried, odd, counts; {present_counts}, {rows_read}, {saved_keys}
-- out: one row: present, odd, rows_read as compare; counts: what was done, as counts; saved (the keys of the rows
--      that were inserted, of a table whose own triggers may change them)
with {queries}

select
    ({present_counts}) as present,
    (select jsonb_agg(to_jsonb(odd)) from odd where rows > 0) as odd,
    ({rows_read}) as rows_read,
    (select jsonb_agg(to_jsonb(counts)) from counts) as counts,
    ({saved_keys}) as saved;


-- name: saved_keys
-- For tables whose rows nothing suppresses, changes or deletes when they are written.
select null::jsonb;


-- name: propagate
-- Logs the rows that a refresh changed, for the tables that follow, unless triggers do. Before they are written: see
-- triggers_log.sql.
-- in:  diff; {relation}: the table, as a literal; {log}, {logged}: its columns; %(written_at)s: when the oldest change was made,
--      or null; %(is_awaited)s: whether a table that follows has begun to read it
insert into {log} ({logged}, operation, logged_at)
select distinct
    {logged},
    'update',
    coalesce(%(written_at)s::timestamptz, now())
from diff
where change <> 'locked'
    and %(is_awaited)s
    and not (select analytics.triggers_log({relation}::regclass, %(written_at)s::timestamptz));


-- name: is_locked_row
-- Whether a row was to change, but could not be locked.
-- in:  free: the rows that could be locked; {same_key}
diff.change in ('updated', 'deleted', 'seen') and not exists (select from free as target where {same_key});


-- name: is_locked_parent
-- Whether a row was to be written, but the row of the application that it refers to by one column could not be locked.
-- in:  {free}: the ids that could be locked; {column}
diff.change in ('inserted', 'updated') and diff.{column} is not null and diff.{column} not in (select id from {free});


-- name: is_different
-- Which rows are written: those that differ.
wanted is distinct from present;


-- name: is_shown_otherwise
-- Which rows are written, in tables of one's own: also those whose values are equal, and look different, as 1.0 and 1.00.
(wanted *= present) is not true;


-- name: is_news
-- For tables that do not distinguish news from corrections.
null::boolean;


-- name: present_counts
-- How many rows of each part there are; of a table without a reader, in all.
-- in:  present; {part}
select jsonb_object_agg(part, rows) from (
    select coalesce({part}::text, '') as part, count(*) as rows from present
    group by 1
) as counted;


-- name: awaited
-- Whether there are keys with unread changes.
-- in:  keys: those with unread changes
-- out: one row: is_any
select exists(select from keys) as is_any;


-- name: drift
-- Counts drift: rows to change whose keys have no unread change.
-- in:  diff; keys: those with unread changes; {is_awaited}: whether the keys concern a row
-- out: one row: inserted, updated, deleted
select
    count(*) filter (where change = 'inserted') as inserted,
    count(*) filter (where change = 'updated') as updated,
    count(*) filter (where change = 'deleted') as deleted
from diff
where ({is_awaited}) is not true;
