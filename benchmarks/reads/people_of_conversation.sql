-- in: %(key)s: a conversation
select person_id from analytics.people_conversations
where conversation_id = %(key)s;
