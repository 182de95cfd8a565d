-- Whether a key is of the selected crews; true if nothing is selected.
-- in:  %(crew_ids)s
%(crew_ids)s::uuid[] is null
or crew_id = any(%(crew_ids)s::uuid[])
