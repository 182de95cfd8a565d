-- All sources of identifiers, and those that are gone: persons first, so that identifiers have their holders before they are
-- resolved.
-- in:  %(is_first)s; %(after_rank)s, %(after_id)s: the last one before; %(rows)s: how many
-- out: rank (0: gone), source, id
(
    select distinct
        0 as rank,
        source,
        source_id as id
    from analytics.identifiers as known
    where (%(is_first)s or (0, source_id) > (%(after_rank)s::int, %(after_id)s::uuid))
        and case source
            when 'person' then not exists (select from app.people where id = known.source_id)
            when 'contact_method' then not exists (select from app.contact_methods where id = known.source_id)
            when 'conversation' then not exists (
                select from analytics.identifier_sources as found
                where found.source = 'conversation' and found.source_id = known.source_id
            )
            else not exists (
                select from curation.participant_decisions
                where id = known.source_id and decision = known.source and revoked_at is null
            )
        end
    order by source_id
    limit %(rows)s
)
union all
(
    select 1, 'person', id from app.people
    where %(is_first)s or (1, id) > (%(after_rank)s::int, %(after_id)s::uuid)
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
    where decision.revoked_at is null
        and (%(is_first)s or (given.rank, decision.id) > (%(after_rank)s::int, %(after_id)s::uuid))
    order by given.rank, decision.id
    limit %(rows)s
)
union all
(
    select 4, 'contact_method', id from app.contact_methods
    where %(is_first)s or (4, id) > (%(after_rank)s::int, %(after_id)s::uuid)
    order by id
    limit %(rows)s
)
union all
(
    select 5, 'conversation', source_id from analytics.identifier_sources
    where source = 'conversation' and (%(is_first)s or (5, source_id) > (%(after_rank)s::int, %(after_id)s::uuid))
    order by source_id
    limit %(rows)s
);
