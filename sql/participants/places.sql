-- What stands at the places of the keys now. Read once: what is written meanwhile is logged, and for the next tick.
-- in:  keys
-- out: places
create temporary table places on commit drop as
select place.*
from analytics.identifier_places as place
inner join keys on keys.place = place.place and keys.id = place.place_id;
