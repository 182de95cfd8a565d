-- The places where identifiers, or whose they are, may have changed: persons first, so that nothing is resolved twice.
-- in:  %(seen)s, %(taken)s: with changes logged between these snapshots; %(after)s, %(rows)s as in every_place.sql
-- out: keys (place, id, position)
create temporary table keys on commit drop as
select
    place,
    id,
    rank || ' ' || id as position
from (
    select 1 as rank, 'person' as place, id from analytics.identifier_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot) and source = 'people' and id is not null
    union
    select 2, 'contact_method', id from analytics.identifier_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and source in ('contact_methods', 'participant_resolutions again') and id is not null
    union
    select 3, 'conversation', conversation_id from analytics.conversation_changes
    where analytics.is_new(xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and conversation_id is not null
        and (source = 'conversations' and crew_id is not null or source = 'participant_resolutions again')
    union
    select 3, 'conversation', conversation.id
    from analytics.identifier_changes as change
    inner join app.conversations as conversation on conversation.crew_id = change.id
    where analytics.is_new(change.xid, %(seen)s::pg_snapshot, %(taken)s::pg_snapshot)
        and change.source = 'crews' and conversation.client_id is null
) as changed
where %(after)s::text is null or (rank, id) > (left(%(after)s::text, 1)::int, nullif(substr(%(after)s::text, 3), '')::uuid)
order by rank, id
limit %(rows)s;
