-- participant_resolutions: whose each contact method is; set by the application, or matched by its identifier.
-- in:  touched_identifiers: contact methods with one of these identifiers;
--      %(window_start)s, %(window_end)s: those updated in it, half-open;
--      %(by_activity)s: and those of recipients of messages sent in it
-- out: one row: inserted, updated, deleted, unchanged
with touched_contacts as (
    select contact_method_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and contact_method_id is not null
    union
    select id from app.contact_methods
    where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
    union
    select contact_method_id from analytics.participant_resolutions
    where status = 'resolved' and person_id is null  -- the person was deleted
    union
    select recipient.contact_method_id
    from app.messages as message
    inner join app.message_recipients as recipient on recipient.message_id = message.id
    where %(by_activity)s
        and message.sent_at >= %(window_start)s::timestamptz and message.sent_at < %(window_end)s::timestamptz
),

contacts as materialized (
    select
        contact.id,
        contact.kind,
        contact.person_id,
        place.identifier
    from app.contact_methods as contact
    inner join touched_contacts on touched_contacts.id = contact.id
    left join analytics.identifiers as place on place.place_id = contact.id and place.kind = contact.kind
),

holders as (
    select
        place.identifier,
        coalesce(place.person_id, contact.person_id) as person_id
    from analytics.identifiers as place
    left join app.contact_methods as contact on contact.id = place.contact_method_id
    where place.identifier in (select identifier from contacts)
),

candidates as (
    select
        identifier,
        count(distinct person_id) as candidate_count,
        min(person_id::text)::uuid as any_person_id
    from holders
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
        case resolved.method when 'manual' then 1.00 when 'email' then 0.95 when 'phone' then 0.90 when 'linkedin' then 0.85 end
            as confidence,
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

different as materialized (
    select wanted.*
    from wanted
    left join analytics.participant_resolutions as present using (contact_method_id)
    where (
        wanted.contact_method_id, wanted.person_id, wanted.status, wanted.method, wanted.confidence,
        wanted.candidate_count
    ) is distinct from (
        present.contact_method_id, present.person_id, present.status, present.method, present.confidence,
        present.candidate_count
    )
    order by wanted.contact_method_id
),

saved as (
    insert into analytics.participant_resolutions as target (
        contact_method_id, person_id, status, method, confidence, candidate_count
    )
    select * from different
    on conflict (contact_method_id) do update set
        person_id = excluded.person_id,
        status = excluded.status,
        method = excluded.method,
        confidence = excluded.confidence,
        candidate_count = excluded.candidate_count,
        resolved_at = now()
    returning target.xmax = 0 as is_new
)

select
    (select count(*) from saved where is_new) as inserted,
    (select count(*) from saved where not is_new) as updated,
    0::bigint as deleted,
    (select count(*) from contacts) - (select count(*) from saved) as unchanged;
