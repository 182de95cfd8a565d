-- name: rows
-- The rows of some days, or of all.
-- in:  {columns}: converted to types that Arrow has; {relation}; {day}: the expression of a row's day; {cell}: as a literal;
--      {days}: a condition on day
-- out: cell, day, {columns}
select
    {cell} as cell,
    {day} as day,
    {columns}
from {relation}
where {days};


-- name: columns
-- The columns of a table that the lake has.
-- in:  %(relation)s: as schema.table; %(left_out)s: names
-- out: a row per column, in order: name, number, type, description
select
    attname as name,
    attnum as number,
    typname as type,
    col_description(attrelid, attnum) as description
from pg_attribute
inner join pg_type on pg_type.oid = atttypid
where attrelid = to_regclass(%(relation)s) and attnum > 0 and not attisdropped and attname <> all(%(left_out)s::text[])
order by attnum;


-- name: follow
-- Has triggers log all changes of a table's rows, and the next tick write all days.
-- in:  {relation}: the table; {function}: the one that logs them; {name}: the table's name; as literals
select analytics.create_triggers({relation}::regclass, {function}, false, false);
insert into analytics.lake_state (table_name, attempted_at, followed_by) values ({name}, now(), pg_current_xact_id())
on conflict (table_name) do update set
    snapshot = null,
    committed = null,
    followed_by = excluded.followed_by;


-- name: position
-- What the log of a table says that the lake has not read, in the snapshot of the transaction.
-- in:  {log}; {name}: the table's name, {since}: the watermark of the Iceberg table, or null, as literals; {day}: the expression
--      of a row's day
-- out: one row: to_snapshot (text), is_continued (the log has all that changed since), is_everything (all days), days
--      (comma-separated), origin (this history of the database: snapshots of another say nothing here)
with read as materialized (
    select
        case when committed::text = {since} then snapshot else {since}::pg_snapshot end as up_to,
        followed_by
    from analytics.lake_state
    where table_name = {name}
)

select
    pg_current_snapshot()::text as to_snapshot,
    exists(
        select from read
        cross join analytics.trim_state as trimmed
        where pg_visible_in_snapshot(read.followed_by, read.up_to)
            and trimmed.trimmed_below <= pg_snapshot_xmin(read.up_to)
            and pg_snapshot_xmax(read.up_to) <= pg_snapshot_xmax(pg_current_snapshot())
    ) as is_continued,
    coalesce(bool_or(change.is_everything), false) as is_everything,
    coalesce(string_agg(distinct change.day::text, ','), '') as days,
    (select system_identifier from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint())
    || '/' || (select oid from pg_database where datname = current_database()) as origin
from (
    select
        {day} as day,
        operation in ('everything', 'truncate') as is_everything
    from {log}
    where analytics.is_unread(xid, (select up_to from read)) and operation <> 'retry'
) as change;


-- name: store
-- Stores up to where the lake has read the log of a table.
-- in:  %(name)s: the table; %(to_snapshot)s: up to which; %(committed)s: the watermark of the Iceberg table
update analytics.lake_state
set
    snapshot = %(to_snapshot)s::pg_snapshot,
    committed = %(committed)s::pg_snapshot,
    attempted_at = now()
where table_name = %(name)s;


-- name: counts
-- How many rows each day has.
-- in:  {relation}; {day}: the expression of a row's day; {days}: a condition on it
-- out: day, rows
select
    {day} as day,
    count(*) as rows
from {relation}
where {days}
group by 1
order by 1;


-- name: is_followed
-- Whether a table's changes are logged for the lake, by triggers of which none is switched off.
-- in:  %(relation)s: as schema.table; %(name)s: its name
-- out: one row: is_followed
select
    count(*) = 4 and exists (
        select from analytics.lake_state
        where table_name = %(name)s and followed_by is not null
    ) as is_followed
from pg_trigger
where tgrelid = to_regclass(%(relation)s)
    and tgname in ('convo_pipelines_insert', 'convo_pipelines_update', 'convo_pipelines_delete', 'convo_pipelines_truncate')
    and tgenabled = 'A';


-- name: unfollow
-- Ends what follow began; keeps triggers that are there without a lake, too.
-- in:  {relation}: the table; {name}: its name; as literals; {is_logged_anyway}: whether they are
do $$
begin
    if not {is_logged_anyway} then
        perform analytics.drop_triggers({relation}::regclass, '');
    end if;
end
$$;
delete from analytics.lake_state where table_name = {name};


-- name: measures
-- What the columns of each day add up to.
-- in:  {measures}: sums; {relation}; {day}: the expression of a row's day
-- out: day, rows, {measures}
select
    {day} as day,
    count(*) as rows,
    {measures}
from {relation}
group by 1
order by 1;


-- name: flush
-- Makes all transactions that a snapshot saw reach the disk: this one commits synchronously, and writes after them.
-- in:  %(name)s: the table
update analytics.lake_state set attempted_at = now()
where table_name = %(name)s;


-- name: identity
-- What names this database, but no copy of it by dump or template.
-- out: one row: identity
select
    (select system_identifier from pg_control_system()) || '/' || (
        select oid from pg_database where datname = current_database()
    ) as identity;


-- name: turn
-- Switches off the timeouts of the transaction: it waits for its turn, and then while files are written. transaction_timeout is
-- new in PostgreSQL 17.
select set_config(name, '0', true)
from pg_settings
where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');
