-- Deletes a person from analytics, with the decisions on the person.
-- in:  %(person_id)s
-- out: one row: identifiers, resolutions, decisions, links
with identifiers as (
    delete from analytics.identifiers
    where source_id = %(person_id)s::uuid or person_id = %(person_id)s::uuid
    returning 1
),

contacts as (
    delete from analytics.participant_resolutions where person_id = %(person_id)s::uuid
    returning 1
),

decisions as (
    delete from curation.participant_decisions where person_id = %(person_id)s::uuid
    returning 1
),

people as (
    delete from analytics.people_conversations where person_id = %(person_id)s::uuid
    returning 1
)

select
    (select count(*) from identifiers) as identifiers,
    (select count(*) from contacts) as resolutions,
    (select count(*) from decisions) as decisions,
    (select count(*) from people) as links;
