-- Begins the first build: stores the snapshot from which on the logs are kept, unless an earlier attempt has.
-- in:  %(asset_key)s
update analytics.refresh_state
set
    building = coalesce(building, pg_current_snapshot()),
    building_at = coalesce(building_at, clock_timestamp()),
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s and snapshot is null;
