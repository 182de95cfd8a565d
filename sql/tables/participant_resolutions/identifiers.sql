-- identifiers: one row per source of an identifier (a record of the application, or a decision), with its canonical form.
-- in:  keys; places: the current spellings; normalized: canonical forms of new spellings; %(written_at)s: when the
--      oldest change was made, or null
-- out: queries of a statement: different; touched: the former and current identifiers of these sources;
--      participant_resolutions_changes: contact methods and conversations whose identifier changed, or has other holders
wanted as (
    select
        place.*,
        coalesce(
            case when normalized.kind is null then known.identifier else normalized.identifier end, place.otherwise
        ) as identifier
    from places as place
    left join normalized on normalized.kind = place.kind and normalized.value = place.value
    left join analytics.identifiers as known
        on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind
),

present as (
    select known.* from analytics.identifiers as known
    inner join keys on keys.id = known.source_id and keys.source = known.source
),

different as materialized (
    select
        source,
        source_id,
        kind,
        wanted.value,
        wanted.identifier,
        wanted.person_id,
        wanted.client_id,
        array_remove(
            array[
                case when wanted.person_id is not null then wanted.identifier end,
                case when present.person_id is not null then present.identifier end
            ],
            null
        ) as held
    from wanted
    full join present using (source, source_id, kind)
    where (wanted.value, wanted.identifier, wanted.person_id, wanted.client_id)
        is distinct from (present.value, present.identifier, present.person_id, present.client_id)
    order by source_id
),

saved as (
    insert into analytics.identifiers as target (source, source_id, kind, value, identifier, person_id, client_id)
    select
        source,
        source_id,
        kind,
        value,
        identifier,
        person_id,
        client_id
    from different
    where value is not null
    on conflict (source_id, source, kind) do update set
        value = excluded.value,
        identifier = excluded.identifier,
        person_id = excluded.person_id,
        client_id = excluded.client_id
),

removed as (
    delete from analytics.identifiers as target
    using different
    where target.source = different.source
        and target.source_id = different.source_id
        and target.kind = different.kind
        and different.value is null
),

changed as materialized (
    select
        source,
        source_id
    from different
    union
    select
        source,
        source_id
    from analytics.identifiers
    where identifier in (select unnest(held) from different) and source in ('contact_method', 'conversation')
),

logged as (
    insert into analytics.participant_resolutions_changes (contact_method_id, conversation_id, operation, logged_at)
    select
        case source when 'contact_method' then source_id end,
        case source when 'conversation' then source_id end,
        'update',
        coalesce(%(written_at)s::timestamptz, now())
    from changed
    where source in ('contact_method', 'conversation')
),

touched as (
    select identifier from wanted
    where identifier is not null
    union
    select identifier from present
    where identifier is not null
)
