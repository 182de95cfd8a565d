-- Raises where a view or one of its columns is missing.
do $$
begin
    perform
        lead_id, conversation_id, channel, client_id, crew_id, project_id, started_at, ended_at,
        message_count, inbound_count, outbound_count, first_response_seconds
    from analytics.lead_open_conversations where false;
    perform
        lead_id, conversation_id, channel, client_id, crew_id, project_id, started_at, ended_at,
        closed_at, message_count, inbound_count, outbound_count, first_response_seconds
    from analytics.lead_conversations where false;
    perform
        customer_id, conversation_id, channel, client_id, crew_id, project_id, started_at, ended_at,
        closed_at, message_count, inbound_count, outbound_count, first_response_seconds
    from analytics.customer_conversations where false;
    perform client_id, client_code, client_name, is_active from analytics.client_names where false;
    perform crew_id, crew_code, crew_name, client_id, is_active from analytics.crew_names where false;
    perform project_id, project_name, user_id from analytics.project_names where false;
    perform contact_method_id, kind, status, messages from analytics.unknown_senders where false;
    perform person_id, client_id, person_name, email, phone, linkedin_urn from analytics.person_names where false;
    perform contact_method_id, kind, value, person_id from analytics.contact_method_values where false;
end
$$;
