-- Moves the watermarks of tables without news, unless another run has moved them, or the server has crashed.
-- in:  %(asset_keys)s, %(from_snapshots)s: pair by pair; %(to_snapshot)s, %(taken_at)s, %(crash_token)s
-- out: a row per table that moved: asset_key
update analytics.refresh_state as state
set
    snapshot = %(to_snapshot)s::pg_snapshot,
    snapshot_at = %(taken_at)s,
    last_success_at = clock_timestamp(),
    last_error = null,
    failing_since = null,
    written_by = pg_current_xact_id()
from unnest(%(asset_keys)s::text[], %(from_snapshots)s::text[]) as idle (asset_key, from_snapshot)
where state.asset_key = idle.asset_key
    and state.snapshot::text = idle.from_snapshot
    and exists (select from analytics.crash_token where token = %(crash_token)s)
returning state.asset_key;
