-- Without receivers: deletes alerts that have ended, and resets failed deliveries.
with ended as (
    delete from analytics.alerts where ended_at is not null
)

update analytics.alerts
set
    failed_deliveries = 0,
    last_error = null
where failed_deliveries > 0 and ended_at is null;
