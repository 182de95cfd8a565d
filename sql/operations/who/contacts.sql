-- The contact methods with an id, value or identifier, and all that have the same identifier.
-- in:  %(id)s: uuid, or null; %(value)s: as the application spells it; %(identifier)s: canonical form, or null
-- out: id, kind, value, is_given (whether the application has set its person); the one with this id first
with requested as (
    select id from app.contact_methods
    where id = %(id)s::uuid or value = %(value)s::text
),

named as (
    select identifier from analytics.identifiers
    where source_id in (select id from requested) and source = 'contact_method'
    union
    select %(identifier)s::text
)

select
    id,
    kind,
    value,
    person_id is not null as is_given
from app.contact_methods
where id in (
    select id from requested
    union
    select source_id from analytics.identifiers
    where identifier in (select identifier from named) and source = 'contact_method'
)
order by id = %(id)s::uuid desc nulls last, is_given, id;
