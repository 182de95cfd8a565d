-- Raises where a column is missing.
do $$
begin
    perform id, table_name, sessions, inserted, updated, deleted, noted_at
    from analytics.webhook_refreshes where false;
end
$$;
