-- Which inconsistencies the keys concern.
-- in:  keys: projects and conversations
project_id in (select id from keys)
or conversation_id in (select id from keys)
