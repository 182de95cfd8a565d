-- The current spellings of the keys' sources. Key by key: otherwise the planner, which expects few sessions, reads all
-- identifiers.
-- in:  keys
-- out: source, source_id, kind, value, otherwise, person_id, client_id
select place.*
from keys
cross join lateral (
    select * from analytics.identifier_sources as place
    where place.source = keys.source and place.source_id = keys.id
    offset 0
) as place
