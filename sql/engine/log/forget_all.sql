-- Clears all watermarks: the database was restored from another server, whose transaction ids and snapshots are meaningless here.
with trims as (
    update analytics.trim_state set trimmed_below = '0'
),

crash_tokens as (
    delete from analytics.crash_token
),

captures as (
    update analytics.capture_state set identity = null
),

lakes as (
    update analytics.lake_state
    set
        snapshot = null,
        committed = null
),

catalogs as (
    update analytics.catalog_state set fingerprint = null
)

update analytics.refresh_state
set
    snapshot = null,
    snapshot_at = null,
    building = null,
    building_at = null,
    lease_holder = null,
    lease_until = null,
    written_by = pg_current_xact_id();
