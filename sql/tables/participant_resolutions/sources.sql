-- Creates the temporary table of the current spellings of the keys' sources. Read once: changes that are written meanwhile are
-- logged, and read by the next tick. Key by key: otherwise the planner, which expects few sessions, reads all identifiers.
-- in:  keys
-- out: places
create temporary table pg_temp.places on commit drop as
select place.*
from pg_temp.keys
cross join lateral (
    select * from analytics.identifier_sources as place
    where place.source = keys.source and place.source_id = keys.id
    offset 0
) as place;
