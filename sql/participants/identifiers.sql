-- identifiers: one row per place where the application spells one, with its canonical form.
-- in:  normalized; %(window_start)s, %(window_end)s: places the application wrote in it, half-open;
--      %(by_activity)s: and all others, too
-- out: touched_identifiers: the identifiers, former ones too, of these places and of those that were deleted
with places as materialized (
    select
        *,
        changed_at >= %(window_start)s::timestamptz and changed_at < %(window_end)s::timestamptz as is_changed
    from analytics.identifier_places
    where %(by_activity)s
        or changed_at >= %(window_start)s::timestamptz and changed_at < %(window_end)s::timestamptz
),

wanted as (
    select
        place.*,
        case when normalized.kind is null then known.identifier else normalized.identifier end as identifier,
        normalized.kind is not null or known.value = place.value as is_normalized
    from places as place
    left join normalized on normalized.kind = place.kind and normalized.value = place.value
    left join analytics.identifiers as known on known.place_id = place.place_id and known.kind = place.kind
    where place.value is not null
),

present as (
    select * from analytics.identifiers
    where place_id in (select place_id from places)
),

different as materialized (
    select
        place_id, kind, wanted.value, wanted.identifier, wanted.person_id, wanted.contact_method_id,
        wanted.conversation_id, present.identifier as former_identifier
    from wanted
    full join present using (place_id, kind)
    where (
        wanted.value, wanted.identifier, wanted.person_id, wanted.contact_method_id, wanted.conversation_id
    ) is distinct from (
        present.value, present.identifier, present.person_id, present.contact_method_id, present.conversation_id
    )
        and wanted.is_normalized is distinct from false  -- else changed since it was read: the next tick has it
    order by place_id
),

saved as (
    insert into analytics.identifiers as target (
        place_id, kind, value, identifier, person_id, contact_method_id, conversation_id
    )
    select place_id, kind, value, identifier, person_id, contact_method_id, conversation_id
    from different
    where value is not null
    on conflict (place_id, kind) do update set
        value = excluded.value,
        identifier = excluded.identifier,
        person_id = excluded.person_id,
        contact_method_id = excluded.contact_method_id,
        conversation_id = excluded.conversation_id
),

removed as (
    delete from analytics.identifiers as target
    using different
    where target.place_id = different.place_id and target.kind = different.kind and different.value is null
),

deleted as (
    delete from analytics.identifiers as target
    where person_id is null and contact_method_id is null and conversation_id is null
        and not exists (select from wanted where wanted.place_id = target.place_id)
    returning identifier
)

insert into touched_identifiers (identifier)
select identifier
from (
    select identifier from different
    union
    select former_identifier from different
    union
    select identifier from deleted
    union
    select identifier from wanted
    where is_changed
    union
    select place.identifier
    from places
    inner join analytics.participant_resolutions as resolution on resolution.person_id = places.person_id
    inner join analytics.identifiers as place on place.contact_method_id = resolution.contact_method_id
    where places.is_changed
) as concerned
where identifier is not null;
