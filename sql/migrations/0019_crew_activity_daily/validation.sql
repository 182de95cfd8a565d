-- Raises where a column is missing.
do $$
begin
    perform
        crew_id, activity_date, crew_code, crew_name, client_id, sessions, messages, human_messages, ai_messages,
        first_response_median_seconds, refreshed_at
    from analytics.crew_activity_daily where false;
end
$$;
