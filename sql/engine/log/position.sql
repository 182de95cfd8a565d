-- The watermarks of tables.
-- in:  %(asset_keys)s
-- out: one row per table, none before `ensure`: asset_key, unread_since, from_snapshot (null: not built), snapshot_at, is_ours
--      (false: the row was restored from
--      another server), is_standby, follows
select
    asset_key,
    coalesce(snapshot, building)::text as unread_since,
    snapshot::text as from_snapshot,
    snapshot_at,
    mod(written_by::text::numeric, 4294967296) = xmin::text::numeric as is_ours,
    pg_is_in_recovery() as is_standby,
    follows
from analytics.refresh_state
where asset_key = any(%(asset_keys)s::text[]);
