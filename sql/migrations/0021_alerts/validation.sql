-- Raises where a column is missing.
do $$
begin
    perform
        source, kind, subject, alert.found, remedy, link, since, ended_at, told_at, failed_deliveries, last_error
    from analytics.alerts as alert where false;
end
$$;
