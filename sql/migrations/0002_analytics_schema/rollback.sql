-- Drops everything this project derives; `migrate up` and a backfill bring it back.
drop table
    analytics.histories_sessions, analytics.conversation_summaries,
    analytics.crew_discovery_state, analytics.refresh_watermarks;
comment on schema analytics is null;
