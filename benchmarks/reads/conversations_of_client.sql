-- in: %(key)s: a client
select conversation_id from analytics.clients_conversations
where client_id = %(key)s;
