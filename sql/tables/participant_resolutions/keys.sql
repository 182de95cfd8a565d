-- Sources whose identifier, or its holder, may have changed. Persons come first, so that no contact method is resolved twice.
-- By hand: identifiers are normalized in Python, which logs what changed.
-- in:  %(from_snapshot)s, %(to_snapshot)s: by changes logged between these snapshots
-- out: rank, source, id
with changed as (
    select
        source,
        id,
        bool_or(operation = 'insert') as is_insert
    from (
        select 'people' as source, id, operation, xid from analytics.changed_people
        union all
        select 'contact_methods', id, operation, xid from analytics.changed_contact_methods
        union all
        select 'participant_decisions', id, operation, xid from analytics.participant_decisions_changes
    ) as change
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot) and id is not null
    group by source, id
)

select
    rank,
    source,
    id
from (
    select 'person' as source, id from changed
    where source = 'people'
    union
    select decided.source, changed.id from changed
    cross join (values ('link'), ('never')) as decided (source)
    where changed.source = 'participant_decisions'
    union
    select decision.decision, decision.id from changed
    inner join curation.participant_decisions as decision on decision.person_id = changed.id
    where changed.source = 'people' and decision.revoked_at is null
    union
    select decision.decision, decision.id from changed
    inner join curation.participant_decisions as decision on decision.contact_method_id = changed.id
    where changed.source = 'contact_methods' and decision.revoked_at is null
    union
    select 'contact_method', id from changed
    where source = 'contact_methods'
    union
    select 'contact_method', given.source_id from changed
    inner join analytics.identifiers as given on given.person_id = changed.id and given.source = 'contact_method'
    where changed.source = 'people'
    union
    select 'contact_method', contact.id from changed  -- of persons who were deleted, and are inserted again
    inner join app.contact_methods as contact on contact.person_id = changed.id
    where changed.source = 'people' and changed.is_insert
    union
    select 'conversation', conversation.id  -- of crews that say of another kind what their session ids are
    from analytics.changed_crews as change
    inner join app.conversations as conversation on conversation.crew_id = change.id
    left join analytics.identifiers as named
        on named.source_id = conversation.id and named.source = 'conversation' and named.ordinal = 1
    left join analytics.identifier_sources as place
        on place.source_id = conversation.id and place.source = 'conversation'
    where analytics.is_new(change.xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and change.operation = 'update' and named.kind is distinct from place.kind
    union
    select 'conversation', id from analytics.changed_conversations
    where analytics.is_new(xid, %(from_snapshot)s::pg_snapshot, %(to_snapshot)s::pg_snapshot)
        and id is not null and crew_id is not null
) as touched
inner join (
    values (1, 'person'), (2, 'link'), (3, 'never'), (4, 'contact_method'), (5, 'conversation')
) as ranked (rank, source) using (source);
