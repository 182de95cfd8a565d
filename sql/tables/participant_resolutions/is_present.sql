-- Which resolutions the keys concern: those of contact methods among them, or with one of the changed identifiers.
-- in:  keys: sources of identifiers; touched_identifiers
contact_method_id in (
    select known.source_id
    from touched_identifiers as touched
    cross join lateral (  -- by index, whatever the planner expects of a table that has just been filled
        select source_id from analytics.identifiers
        where identifier = touched.identifier and source = 'contact_method'
        offset 0
    ) as known
    union
    select id from keys
    where source = 'contact_method'
)
