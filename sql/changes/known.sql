-- in:  %(asset_key)s
-- out: one row, none before the first tick: watermark, fingerprint
select
    watermark,
    fingerprint
from analytics.refresh_watermarks
where asset_key = %(asset_key)s;
