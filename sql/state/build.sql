-- Begins the first build: the logs are kept from here on, or from where an earlier attempt began.
-- in:  %(asset_key)s, %(taken)s, %(taken_at)s
update analytics.refresh_state
set
    building = coalesce(building, %(taken)s::pg_snapshot),
    building_at = coalesce(building_at, %(taken_at)s),
    written_by = pg_current_xact_id()
where asset_key = %(asset_key)s and snapshot is null;
