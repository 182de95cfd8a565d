-- The places where identifiers, or whose they are, may have changed: persons first, so that nothing is resolved twice.
-- in:  %(seen)s, %(taken)s: with changes logged between these snapshots; %(after)s, %(rows)s as in every_place.sql
-- out: keys (place, id, position)
create temporary table keys on commit drop as
with changed as (
    select distinct
        source,
        id
    from analytics.identifier_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and id is not null
        and source in ('people', 'contact_methods', 'participant_decisions', 'participant_resolutions retry')
)

select
    place,
    id,
    rank || ' ' || id as position
from (
    select 'person' as place, id from changed
    where source = 'people'
    union
    select decided.place, changed.id from changed
    cross join (values ('link'), ('never')) as decided (place)
    where source = 'participant_decisions'
    union
    select decision.decision, decision.id from changed
    inner join curation.participant_decisions as decision on decision.person_id = changed.id
    where source = 'people' and decision.revoked_at is null
    union
    select decision.decision, decision.id from changed
    inner join curation.participant_decisions as decision on decision.contact_method_id = changed.id
    where source = 'contact_methods' and decision.revoked_at is null
    union
    select 'contact_method', id from changed
    where source in ('contact_methods', 'participant_resolutions retry')
    union
    select 'contact_method', given.source_id from changed
    inner join analytics.identifiers as given on given.person_id = changed.id and given.source = 'contact_method'
    where changed.source = 'people'
    union
    select 'conversation', conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and conversation_id is not null and source = 'conversations' and crew_id is not null
) as touched
inner join (values ('person', 1), ('link', 2), ('never', 3), ('contact_method', 4), ('conversation', 5)) as placed (place, rank)
    using (place)
where %(after)s::text is null or (rank, id) > (left(%(after)s::text, 1)::int, nullif(substr(%(after)s::text, 3), '')::uuid)
order by rank, id
limit %(rows)s;
