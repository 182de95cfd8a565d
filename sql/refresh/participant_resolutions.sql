-- participant_resolutions: whose each contact method is; set by the application, or matched by its identifier.
-- in:  keys: places; touched_identifiers: contact methods with one of these identifiers
-- out: different; one row: present (resolutions before)
with touched_contacts as (
    select place_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and place = 'contact_method'
    union
    select id from keys
    where place = 'contact_method'
),

contacts as materialized (
    select
        place.place_id as id,
        place.kind,
        person.id as person_id,
        place.identifier
    from app.contact_methods as contact
    inner join touched_contacts on touched_contacts.id = contact.id
    inner join analytics.identifiers as place on place.place_id = contact.id and place.place = 'contact_method'
    left join app.people as person on person.id = place.person_id
),

candidates as (
    select
        identifier,
        count(distinct person_id) as candidate_count,
        min(person_id::text)::uuid as any_person_id
    from analytics.identifier_holders
    where identifier in (select identifier from contacts)
    group by identifier
),

wanted as (
    select
        contacts.id as contact_method_id,
        resolved.person_id,
        case
            when resolved.person_id is not null then 'resolved'
            when contacts.identifier is null then 'invalid'
            when candidate_count > 1 then 'ambiguous'
            else 'unmatched'
        end as status,
        resolved.method,
        analytics.confidence_of(resolved.method) as confidence,
        coalesce(candidate_count, (contacts.person_id is not null)::int) as candidate_count
    from contacts
    left join candidates on candidates.identifier = contacts.identifier
    cross join lateral (
        select
            coalesce(contacts.person_id, case when candidate_count = 1 then any_person_id end) as person_id,
            case when contacts.person_id is not null then 'manual' when candidate_count = 1 then contacts.kind end
                as method
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
