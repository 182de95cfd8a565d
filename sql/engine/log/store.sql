-- Moves the watermark, unless another run has moved it, or the server has crashed since the snapshot was taken; and counts how
-- long the changes that the table follows took to be visible, in it, but for those that it had left to this tick.
-- in:  %(asset_key)s, %(from_snapshot)s, %(to_snapshot)s, %(taken_at)s, %(crash_token)s; %(snapshot_at)s: when the first snapshot
--      was taken; {changes}: those that the table follows; %(bounds)s: those of the histogram, in seconds
-- out: latencies; a row if it moved: xid (of this transaction)
with moved as (
    update analytics.refresh_state
    set
        snapshot = %(to_snapshot)s::pg_snapshot,
        snapshot_at = %(taken_at)s,
        building = null,
        building_at = null,
        last_success_at = clock_timestamp(),
        last_error = null,
        failing_since = null,
        written_by = pg_current_xact_id()
    where asset_key = %(asset_key)s
        and snapshot::text is not distinct from %(from_snapshot)s
        and exists (select from analytics.crash_token where token = %(crash_token)s)
    returning written_by
),

visible as (
    select extract(epoch from clock_timestamp() - greatest(logged_at, %(snapshot_at)s::timestamptz))::float8 as seconds
    from (
{changes}
    ) as change
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and exists (select from moved)
),

counted as (
    insert into analytics.latencies as latency (table_name, hour, seconds, changes, total_seconds)
    select
        %(asset_key)s,
        date_trunc('hour', clock_timestamp()),
        coalesce((%(bounds)s::float8[])[1 + width_bucket(seconds, %(bounds)s::float8[])], 'Infinity'),
        count(*),
        sum(seconds)
    from visible
    group by 3
    order by 3
    on conflict (table_name, hour, seconds) do update set
        changes = latency.changes + excluded.changes,
        total_seconds = latency.total_seconds + excluded.total_seconds
)

select written_by::text as xid from moved;
