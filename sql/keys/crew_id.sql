-- name: selected
-- Whether a key is of the selected crews.
-- in:  %(crew_ids)s
crew_id = any(%(crew_ids)s::uuid[]);
