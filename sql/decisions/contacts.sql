-- The contact methods that somebody means.
-- in:  %(contact)s: an id, or as the application spells it; %(identifier)s: its canonical form, or null
-- out: id, kind, value, identifier (null: it has none, or no tick has read it), given (whether the application says whose it is)
select
    contact.id,
    contact.kind,
    contact.value,
    nullif(place.identifier, contact.id::text) as identifier,
    contact.person_id is not null as given
from app.contact_methods as contact
left join analytics.identifiers as place on place.place_id = contact.id and place.place = 'contact_method'
where contact.id::text = lower(%(contact)s::text)
    or contact.value = %(contact)s::text
    or contact.id in (
        select place_id from analytics.identifiers
        where identifier = %(identifier)s::text and place = 'contact_method'
    )
order by given, contact.id;
