-- participant_resolutions: whose each contact method is, whatever the conversation; set by the application, decided, or
-- matched by its identifier.
-- in:  keys: places; touched_identifiers: contact methods with one of these identifiers
-- out: different; one row: present (resolutions before)
with touched_contacts as (
    select source_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and source = 'contact_method'
    union
    select id from keys
    where place = 'contact_method'
),

contacts as materialized (
    select
        place.source_id as contact_method_id,
        place.identifier,
        place.identifier = place.source_id::text as is_invalid,
        place.person_id as given_person_id,
        holder.*
    from app.contact_methods as contact
    inner join touched_contacts on touched_contacts.id = contact.id
    inner join analytics.identifiers as place on place.source_id = contact.id and place.source = 'contact_method'
    cross join lateral analytics.holder_of(place.identifier, null) as holder
),

wanted as (
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
    ) as resolved
),

present as (
    select contact_method_id, person_id, status, method, confidence, candidate_count
    from analytics.participant_resolutions
    where contact_method_id in (select id from touched_contacts)
),

compared as (
    insert into different (
        change, contact_method_id, person_id, status, method, confidence, candidate_count
    )
    select
        case
            when present.contact_method_id is null then 'inserted'
            when wanted.contact_method_id is null then 'deleted'
            else 'updated'
        end,
        contact_method_id,
        wanted.person_id,
        wanted.status,
        wanted.method,
        wanted.confidence,
        wanted.candidate_count
    from wanted
    full join present using (contact_method_id)
    where wanted is distinct from present
)

select count(*) as present from present;
