-- Forgets what the watermarks wait for; they wait anew.
alter table analytics.crew_discovery_state drop column pending_transactions;
alter table analytics.refresh_watermarks drop column pending_watermark, drop column pending_transactions;
