-- The places where identifiers stand: persons first, so that nothing is resolved before it can be.
-- in:  %(after)s: position after which to go on, or null; %(rows)s: how many
-- out: keys (place, id, position); the first time also the places that are gone
create temporary table keys on commit drop as
select
    source as place,
    source_id as id,
    '0' as position
from analytics.identifiers as known
where %(after)s::text is null
    and case source
        when 'person' then not exists (select from app.people where id = known.source_id)
        when 'contact_method' then not exists (select from app.contact_methods where id = known.source_id)
        when 'conversation' then not exists (select from app.conversations where id = known.source_id and crew_id is not null)
        else not exists (
            select from curation.participant_decisions
            where id = known.source_id and decision = known.source and revoked_at is null
        )
    end
union all
(
    select
        place,
        id,
        rank || ' ' || id
    from (
        (
            select 1 as rank, 'person' as place, id from app.people
            where %(after)s::text is null or left(%(after)s::text, 1) = '1' and id > nullif(substr(%(after)s::text, 3), '')::uuid
            order by id
            limit %(rows)s
        )
        union all
        (
            select
                given.rank,
                decision.decision,
                decision.id
            from curation.participant_decisions as decision
            inner join (values (2, 'link'), (3, 'never')) as given (rank, decision) using (decision)
            where decision.revoked_at is null and (
                %(after)s::text is null
                or (given.rank, decision.id) > (left(%(after)s::text, 1)::int, nullif(substr(%(after)s::text, 3), '')::uuid)
            )
            order by given.rank, decision.id
            limit %(rows)s
        )
        union all
        (
            select 4, 'contact_method', id from app.contact_methods
            where %(after)s::text is null or left(%(after)s::text, 1) < '4'
                or left(%(after)s::text, 1) = '4' and id > nullif(substr(%(after)s::text, 3), '')::uuid
            order by id
            limit %(rows)s
        )
        union all
        (
            select 5, 'conversation', id from app.conversations
            where crew_id is not null and (
                %(after)s::text is null or left(%(after)s::text, 1) < '5'
                or left(%(after)s::text, 1) = '5' and id > nullif(substr(%(after)s::text, 3), '')::uuid
            )
            order by id
            limit %(rows)s
        )
    ) as places
    order by rank, id
    limit %(rows)s
);
