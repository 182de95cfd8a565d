-- What stands at the places of the keys now. Read once: what is written meanwhile is logged, and for the next tick. Key by
-- key: the planner takes few sessions for identifiers, and would look at all of them to find these.
-- in:  keys
-- out: places
create temporary table places on commit drop as
select place.*
from keys
cross join lateral (
    select * from analytics.identifier_sources as place
    where place.source = keys.source and place.source_id = keys.id
    offset 0
) as place;
