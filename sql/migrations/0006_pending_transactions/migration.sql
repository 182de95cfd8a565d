-- Which transactions a watermark waits for: any role sees them, unlike the times they started at.
alter table analytics.crew_discovery_state add column pending_transactions text[];
alter table analytics.refresh_watermarks
add column pending_watermark timestamptz,
add column pending_transactions text[];

comment on column analytics.crew_discovery_state.pending_transactions is
'Transactions that were open at pending_since (virtualxid in pg_locks): pending_id waits for them to end.';
comment on column analytics.refresh_watermarks.pending_watermark is
'The next watermark, but for the lookback, once no transaction that was open then is left.';
comment on column analytics.refresh_watermarks.pending_transactions is
'Transactions that were open at pending_watermark (virtualxid in pg_locks).';
