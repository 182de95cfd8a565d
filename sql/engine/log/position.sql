-- The watermark of a table, and a snapshot of now. A statement of its own, before anything is written.
-- in:  %(asset_key)s
-- out: one row, none before `ensure`: unread_since, from_snapshot (null: not built), to_snapshot, taken_at, is_ours (false: the
--      row was restored from another server), is_standby, follows
select
    coalesce(snapshot, building)::text as unread_since,
    snapshot::text as from_snapshot,
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    mod(written_by::text::numeric, 4294967296) = xmin::text::numeric as is_ours,
    pg_is_in_recovery() as is_standby,
    follows
from analytics.refresh_state
where asset_key = %(asset_key)s;
