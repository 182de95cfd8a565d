-- Raises where a column is missing.
do $$
begin
    perform
        client_id, activity_date, client_code, sessions, messages, conversations_started, conversations_closed,
        first_response_median_seconds, first_response_p90_seconds, refreshed_at
    from analytics.client_activity_daily where false;
end
$$;
