-- name: selected
-- Whether a key is of the selected clients, or of those of the selected crews.
-- in:  %(crew_ids)s, %(client_ids)s
client_id = any(%(client_ids)s::uuid[])
or client_id in (select client_id from app.crews where id = any(%(crew_ids)s::uuid[]));
