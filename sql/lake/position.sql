-- What the log says that the lake has not read, in the snapshot of the transaction.
-- in:  {name}: the table's name, {since}: the snapshot up to which it has, or null, as literals
-- out: one row: to_snapshot (text), is_everything (all days), days (comma-separated), trimmed_to (the log has nothing from
--      before), origin (this history of the database: snapshots of another say nothing here)
select
    pg_current_snapshot()::text as to_snapshot,
    coalesce(bool_or(change.day is null and change.table_name is not null), false) as is_everything,
    coalesce(string_agg(distinct change.day::text, ','), '') as days,
    (
        select pg_snapshot_xmax(snapshot)::text from analytics.lake_state where table_name = {name}
    ) as trimmed_to,
    (select system_identifier from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint())
    || '/' || (select oid from pg_database where datname = current_database()) as origin
from (select) as one_row
left join analytics.lake_changes as change on change.table_name = {name} and analytics.is_unread(change.xid, {since}::pg_snapshot)
