-- The watermark of a table and a snapshot of now, with the token of the server since its last crash. A statement of its own,
-- before anything is written; a standby cannot read the token.
-- in:  %(asset_key)s
-- out: one row, none before `renew_token`: from_snapshot (null: not built), to_snapshot, taken_at, crash_token
select
    state.snapshot::text as from_snapshot,
    pg_current_snapshot()::text as to_snapshot,
    clock_timestamp() as taken_at,
    crash_token.token as crash_token
from analytics.refresh_state as state
cross join analytics.crash_token
where state.asset_key = %(asset_key)s;
