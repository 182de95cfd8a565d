-- Whether a key is a conversation of the selected crews or clients.
-- in:  %(crew_ids)s, %(client_ids)s
conversation_id in (
    select id from app.conversations
    where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
)
