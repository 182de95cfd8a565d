-- Which resolutions the keys concern: those of contact methods among them, or with one of the changed identifiers.
-- in:  keys: sources of identifiers; touched_identifiers
contact_method_id in (
    select source_id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and source = 'contact_method'
    union
    select id from keys
    where source = 'contact_method'
)
