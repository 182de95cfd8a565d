-- in:  %(asset_key)s
-- out: one row, none before the first tick: watermark, fingerprint, pending_watermark, pending_transactions
select
    watermark,
    fingerprint,
    pending_watermark,
    pending_transactions
from analytics.refresh_watermarks
where asset_key = %(asset_key)s;
