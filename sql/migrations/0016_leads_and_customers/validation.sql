-- Raises where a column is missing.
do $$
begin
    perform lead_id, customer_id from analytics.conversation_summaries where false;
end
$$;
