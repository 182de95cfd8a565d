-- Raises where a rule is missing.
do $$
begin
    perform conversation_id, person_id, via, contact_method_id, method, confidence from analytics.conversation_people where false;
    perform conversation_id, client_id, via, person_id from analytics.conversation_clients where false;
    perform identifier, person_id, client_id from analytics.identifier_holders where false;
    perform analytics.confidence_of('manual');
end
$$;
