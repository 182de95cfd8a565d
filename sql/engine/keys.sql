-- name: choose
-- Chooses the keys of one chunk: the first ones after a position, and up to another.
-- in:  {keys}: a query that finds them; {key}: the columns that identify and order them; {after}: the last key of the chunk
--      before, unless %(is_first)s; {until}: the last key, unless %(is_to_end)s; {is_selected}: whether a key is of the
--      selection; %(rows)s: how many
-- out: keys
create temporary table pg_temp.keys on commit drop as
select * from (
{keys}
) as found
where (%(is_first)s or ({key}) > ({after}))
    and (%(is_to_end)s or ({key}) <= ({until}))
    and ({is_selected})
order by {key}
limit %(rows)s;


-- name: last
-- The last key of a chunk.
-- in:  keys; {columns}; {descending}: the order of the keys, backwards
-- out: one row: the columns of the key
select {columns} from keys
order by {descending}
limit 1;


-- name: arrays
-- Chooses the keys of a small scope as arrays, and reads what the log says, in one snapshot.
-- in:  {keys}: a query that finds them; {arrays}: an array of each column; {is_selected}: whether a key is of the selection;
--      %(most)s: how many; {news}: `news` or `no_news` in sql/engine/change_log.sql; {table}
-- out: one row: keys (their number), {arrays}, to_snapshot, taken_at, crash_token, definition,
--      operations, is_everything, written_at
with found as materialized (
    select * from (
{keys}
    ) as found
    where ({is_selected})
    limit %(most)s
),

news as materialized (
{news}
),

chosen as (
    select
        count(*) as keys,
        {arrays}
    from found
)

select
    chosen.*,
    news.*,
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    (select token from analytics.crash_token) as crash_token,
    (select definition from analytics.refresh_state where asset_key = {table}) as definition
from chosen
cross join news;


-- name: every_nth
-- Divides the keys of a scope.
-- in:  {keys}: a query that finds them; {columns}, {key}: the columns that identify and order them; {is_selected}: whether a key
--      is of the selection; %(nth)s
-- out: every nth key, in their order
select {columns} from (
    select
        {columns},
        row_number() over (order by {key}) as number
    from (
{keys}
    ) as found
    where {is_selected}
) as numbered
where mod(number, %(nth)s) = 0
order by number;


-- name: count
-- Counts the keys of a scope.
-- in:  {keys}: a query that finds them
-- out: one row: keys
select count(*) as keys from (
{keys}
) as found;


-- name: page
-- The next keys that a relation holds.
-- in:  {relation}; {columns}: its columns, as the keys name them; {key}, {after}, %(is_first)s, {is_selected}, %(rows)s as in
--      choose
select * from (
    select distinct {key} from (select {columns} from {relation}) as source
    where (%(is_first)s or ({key}) > ({after}))
        and ({is_selected})
    order by {key}
    limit %(rows)s
) as page;


-- name: retried
-- The keys that the last tick logged for retry.
-- in:  {keys}: as the log and the keys name them; {log}; %(from_snapshot)s, %(to_snapshot)s: logged between these snapshots
select {keys} from {log}
where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
    and operation = 'retry';
