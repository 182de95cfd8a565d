-- participant_resolutions: the person of each contact method, independent of the conversation: set by the application, decided
-- by hand, or matched by the identifier.
-- in:  keys: sources of identifiers; touched_identifiers: contact methods with one of these identifiers
with touched_contacts as (
    select source_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and source = 'contact_method'
    union
    select id from keys
    where source = 'contact_method'
),

contacts as materialized (
    select
        source.source_id as contact_method_id,
        source.identifier,
        source.identifier = source.source_id::text as is_invalid,
        source.person_id as given_person_id,
        holder.*
    from app.contact_methods as contact
    inner join touched_contacts on touched_contacts.id = contact.id
    inner join analytics.identifiers as source on source.source_id = contact.id and source.source = 'contact_method'
    cross join lateral analytics.holder_of(source.identifier, null) as holder
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
