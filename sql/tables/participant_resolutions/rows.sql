-- participant_resolutions: the person of each contact method, independent of the conversation: set by the application, decided
-- by hand, or matched by the identifier.
-- in:  keys: sources of identifiers; touched_identifiers: contact methods with one of these identifiers
with touched_contacts as (
    select known.source_id as id
    from touched_identifiers as touched
    cross join lateral (  -- by index, whatever the planner expects of a table that has just been filled
        select source_id from analytics.identifiers
        where identifier = touched.identifier and source = 'contact_method'
        offset 0
    ) as known
    union
    select id from keys
    where source = 'contact_method'
),

identified as materialized (
    select
        contact.id,
        source.identifiers,
        source.person_id
    from app.contact_methods as contact
    inner join touched_contacts on touched_contacts.id = contact.id
    cross join lateral (
        select
            array_agg(identifier order by ordinal) as identifiers,
            min(person_id::text)::uuid as person_id  -- the same of all
        from analytics.identifiers
        where source_id = touched_contacts.id and source = 'contact_method'
        having count(*) > 0
    ) as source
),

contacts as materialized (
    select
        identified.id as contact_method_id,
        identified.identifiers[1] as identifier,
        identified.identifiers[1] = identified.id::text as is_invalid,
        identified.person_id as given_person_id,
        holder.*
    from identified
    cross join lateral analytics.holder_of(identified.identifiers, null) as holder
)

select
    contact_method_id,
    coalesce(given_person_id, person_id) as person_id,
    case
        when coalesce(given_person_id, person_id) is not null then 'resolved'
        when candidate_count > 1 then 'ambiguous'
        when is_invalid then 'invalid'
        else 'unmatched'
    end as status,
    resolved.method,
    analytics.confidence_of(resolved.method) as confidence,
    case when given_person_id is null then candidate_count else greatest(candidate_count, 1) end as candidate_count
from contacts
cross join lateral (
    select
        case
            when given_person_id is not null then 'manual'
            when person_id is null then null
            when is_decided then 'decision'
            else analytics.kind_of(identifier)
        end as method
) as resolved;
