-- Moves an asset's watermark, never backwards.
-- in:  %(asset_key)s, %(watermark)s, %(fingerprint)s; %(pending_watermark)s, %(pending_transactions)s (null: nothing is
--      pending)
insert into analytics.refresh_watermarks as known (
    asset_key, watermark, fingerprint, pending_watermark, pending_transactions, last_run_at
)
values (
    %(asset_key)s, %(watermark)s, %(fingerprint)s, %(pending_watermark)s, %(pending_transactions)s::text[],
    clock_timestamp()
)
on conflict (asset_key) do update set
    watermark = excluded.watermark,
    fingerprint = excluded.fingerprint,
    pending_watermark = excluded.pending_watermark,
    pending_transactions = excluded.pending_transactions,
    last_run_at = excluded.last_run_at
where excluded.watermark >= known.watermark;
