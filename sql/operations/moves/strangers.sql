-- The objects that the rows of a file name but that this database does not have.
-- in:  moved
-- out: a row per thing: what, id; at most ten
with named as (
    select distinct
        line ->> 'table' as table_name,
        line -> 'row' as row
    from moved
)

select distinct
    'crew' as what,
    row ->> 'crew_id' as id
from named
where row ? 'crew_id' and not exists (select from app.crews where crews.id = (row ->> 'crew_id')::uuid)
union all
select distinct
    'person',
    row ->> 'person_id'
from named
where row ? 'person_id' and not exists (select from app.people where people.id = (row ->> 'person_id')::uuid)
union all
select distinct
    'contact method',
    row ->> 'contact_method_id'
from named
where row ->> 'contact_method_id' is not null
    and not exists (select from app.contact_methods where contact_methods.id = (row ->> 'contact_method_id')::uuid)
union all
select distinct
    'conversation',
    row ->> 'conversation_id'
from named
where row ? 'conversation_id'
    and not exists (select from app.conversations where conversations.id = (row ->> 'conversation_id')::uuid)
limit 10;
