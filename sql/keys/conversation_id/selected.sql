-- Whether a key is a conversation of the selected crews or clients; true if nothing is selected.
-- in:  %(crew_ids)s, %(client_ids)s
%(crew_ids)s::uuid[] is null
or conversation_id in (
    select id from app.conversations
    where crew_id = any(%(crew_ids)s::uuid[]) or client_id = any(%(client_ids)s::uuid[])
)
