-- in: %(key)s: a person
select conversation_id from analytics.people_conversations
where person_id = %(key)s;
