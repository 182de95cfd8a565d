-- in: %(key)s: a conversation
select client_id from analytics.clients_conversations
where conversation_id = %(key)s;
