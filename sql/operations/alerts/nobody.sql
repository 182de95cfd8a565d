-- Where nobody is to be told, what has ended goes, and no delivery is owed.
with ended as (
    delete from analytics.alerts where ended_at is not null
)

update analytics.alerts
set
    failed_deliveries = 0,
    last_error = null
where failed_deliveries > 0 and ended_at is null;
