-- The UTC day of a link: that on which its conversation started.
select (started_at at time zone 'UTC')::date from app.conversations
where id = conversation_id
