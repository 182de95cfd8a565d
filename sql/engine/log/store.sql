-- Moves the watermark, unless another run has moved it, or the server has crashed since the snapshot was taken.
-- in:  %(asset_key)s, %(from_snapshot)s, %(to_snapshot)s, %(taken_at)s, %(crash_token)s
-- out: a row if it moved
update analytics.refresh_state
set
    snapshot = %(to_snapshot)s::pg_snapshot,
    snapshot_at = %(taken_at)s,
    building = null,
    building_at = null,
    last_success_at = clock_timestamp(),
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s
    and snapshot::text is not distinct from %(from_snapshot)s
    and exists (select from analytics.crash_token where token = %(crash_token)s)
returning asset_key;
