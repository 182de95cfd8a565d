-- The UTC day of a link: that on which its conversation started.
select (conversation.started_at at time zone 'UTC')::date from app.conversations as conversation
where conversation.id = coalesce(wanted.conversation_id, present.conversation_id)
