-- out: one row per asset that is not read per crew
select
    asset_key as asset,
    to_char(watermark, 'YYYY-MM-DD HH24:MI:SS') as watermark,
    to_char(last_run_at, 'YYYY-MM-DD HH24:MI:SS') as last_run,
    array_to_string(pending_transactions, ', ') as waits_for
from analytics.refresh_watermarks
order by asset_key;
