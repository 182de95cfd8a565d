-- The current spellings of the sources of a few keys. Read once: changes that are written meanwhile are logged, and read by the
-- next tick.
-- in:  {given}: the keys; {places}; %(renormalize)s: all canonical forms are needed
-- out: place (jsonb: the columns of places), kind, value, is_new (whether its canonical form is needed)
with keys as materialized (
{given}
)

select
    to_jsonb(place) as place,
    place.kind,
    place.value,
    known.value is null or %(renormalize)s as is_new
from (
{places}
) as place
left join analytics.identifiers as known
    on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind
        and known.value = place.value
