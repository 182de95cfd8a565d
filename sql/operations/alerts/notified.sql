-- Records the delivery of a notification, or its failure.
-- in:  %(ids)s: the alerts; %(is_notified)s: whether any receiver accepted the message; %(error)s: null if all did
update analytics.alerts
set
    notified_at = case when %(is_notified)s and ended_at is null then clock_timestamp() else notified_at end,
    end_notified_at = case when %(is_notified)s and ended_at is not null then clock_timestamp() end,
    failed_deliveries = case when %(error)s::text is null then 0 else failed_deliveries + 1 end,
    last_error = %(error)s::text
where id = any(%(ids)s::bigint[]);
