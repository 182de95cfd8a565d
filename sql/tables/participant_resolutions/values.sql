-- The spellings without a known canonical form.
-- in:  places; %(renormalize)s: those with one, too
-- out: kind, value; each once
select distinct
    place.kind,
    place.value
from places as place
left join analytics.identifiers as known
    on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind
        and known.value = place.value
where known.value is null or %(renormalize)s;
