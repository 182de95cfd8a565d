-- The watermark of a table.
-- in:  %(asset_key)s
-- out: one row, none before `ensure`: unread_since, from_snapshot (null: not built), snapshot_at, is_ours (false: the row was restored from
--      another server), is_standby, follows
select
    coalesce(snapshot, building)::text as unread_since,
    snapshot::text as from_snapshot,
    snapshot_at,
    mod(written_by::text::numeric, 4294967296) = xmin::text::numeric as is_ours,
    pg_is_in_recovery() as is_standby,
    follows
from analytics.refresh_state
where asset_key = %(asset_key)s;
