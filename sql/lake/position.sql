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
) as change
