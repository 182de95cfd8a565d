-- Moves an asset's watermark, never backwards.
-- in:  %(asset_key)s, %(watermark)s, %(fingerprint)s
insert into analytics.refresh_watermarks as known (asset_key, watermark, fingerprint, last_run_at)
values (%(asset_key)s, %(watermark)s, %(fingerprint)s, clock_timestamp())
on conflict (asset_key) do update set
    watermark = excluded.watermark,
    fingerprint = excluded.fingerprint,
    last_run_at = excluded.last_run_at
where excluded.watermark >= known.watermark;
