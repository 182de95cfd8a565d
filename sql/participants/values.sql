-- The spellings that have no canonical form yet.
-- in:  %(window_start)s, %(window_end)s: where the application wrote in it, half-open;
--      %(by_activity)s: wherever they stand: a person has no day;
--      %(renormalize)s: those that have a canonical form too
-- out: kind, value; each once
select distinct
    place.kind,
    place.value
from analytics.identifier_places as place
left join analytics.identifiers as known
    on known.place_id = place.place_id and known.kind = place.kind and known.value = place.value
where place.value is not null
    and (known.value is null or %(renormalize)s)
    and (
        %(by_activity)s
        or place.changed_at >= %(window_start)s::timestamptz and place.changed_at < %(window_end)s::timestamptz
    );
