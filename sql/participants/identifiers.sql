-- identifiers: one row per place where the application spells one, with its canonical form.
-- in:  keys; places; normalized: forms of the spellings that are new
-- out: touched_identifiers: the identifiers of these places, former ones too
with wanted as (
    select
        place.*,
        case when normalized.kind is null then known.identifier else normalized.identifier end as identifier
    from places as place
    left join normalized on normalized.kind = place.kind and normalized.value = place.value
    left join analytics.identifiers as known
        on known.place_id = place.place_id and known.place = place.place and known.kind = place.kind
),

present as (
    select known.* from analytics.identifiers as known
    inner join keys on keys.id = known.place_id and keys.place = known.place
),

different as materialized (
    select
        place,
        place_id,
        kind,
        wanted.value,
        wanted.identifier,
        wanted.person_id
    from wanted
    full join present using (place, place_id, kind)
    where (wanted.value, wanted.identifier, wanted.person_id)
        is distinct from (present.value, present.identifier, present.person_id)
    order by place_id
),

saved as (
    insert into analytics.identifiers as target (place, place_id, kind, value, identifier, person_id)
    select
        place,
        place_id,
        kind,
        value,
        identifier,
        person_id
    from different
    where value is not null
    on conflict (place_id, place, kind) do update set
        value = excluded.value,
        identifier = excluded.identifier,
        person_id = excluded.person_id
),

removed as (
    delete from analytics.identifiers as target
    using different
    where target.place = different.place
        and target.place_id = different.place_id
        and target.kind = different.kind
        and different.value is null
)

insert into touched_identifiers (identifier)
select identifier from wanted
where identifier is not null
union
select identifier from present
where identifier is not null;
