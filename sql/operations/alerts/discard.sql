-- Without receivers: nothing is left to be delivered.
update analytics.alerts
set
    end_notified_at = case when ended_at is not null then clock_timestamp() end,
    failed_deliveries = 0,
    last_error = null
where end_notified_at is null and (ended_at is not null or failed_deliveries > 0);
