-- Which resolutions the keys concern: those of contact methods among them, or with one of the changed identifiers.
-- in:  keys: places; touched_identifiers
contact_method_id in (
    select place_id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and place = 'contact_method'
    union
    select id from keys
    where place = 'contact_method'
)
