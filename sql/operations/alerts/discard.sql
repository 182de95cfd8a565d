-- If there are no receivers: clears failed deliveries, and marks ended alerts as notified.
update analytics.alerts
set
    end_notified_at = case when ended_at is not null then clock_timestamp() end,
    failed_deliveries = 0,
    last_error = null
where end_notified_at is null and (ended_at is not null or failed_deliveries > 0);
