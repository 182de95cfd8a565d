-- The UTC day on which the conversation of a link started.
select (started_at at time zone 'UTC')::date from app.conversations
where id = conversation_id
