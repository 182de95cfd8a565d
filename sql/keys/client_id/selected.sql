-- Whether a key is of the selected clients, or of those of the selected crews; true if nothing is selected.
-- in:  %(crew_ids)s, %(client_ids)s
%(crew_ids)s::uuid[] is null
or client_id = any(%(client_ids)s::uuid[])
or client_id in (select client_id from app.crews where id = any(%(crew_ids)s::uuid[]))
