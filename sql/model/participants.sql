-- name: places
-- The current spellings of the keys' sources. Key by key: otherwise the planner, which expects few sessions, reads all
-- identifiers.
-- in:  keys
-- out: source, source_id, kind, value, otherwise, person_id, client_id
select place.*
from keys
cross join lateral (
    select * from analytics.identifier_sources as place
    where place.source = keys.source and place.source_id = keys.id
    offset 0
) as place;


-- name: places_of_few
-- The current spellings of the sources of a few keys. Read once: changes that are written meanwhile are logged, and read by the
-- next tick.
-- in:  {given}: the keys; {places}; %(version)s: of the canonical forms that are needed
-- out: place (jsonb: the columns of places), kind, value, is_new (whether its canonical form is needed)
with keys as materialized (
{given}
)

select
    to_jsonb(place) as place,
    place.kind,
    place.value,
    known.value is null as is_new
from (
{places}
) as place
left join analytics.identifiers as known
    on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind and known.ordinal = 1
        and known.value = place.value and known.version = %(version)s;


-- name: sources
-- Creates the temporary table of the current spellings of the keys' sources. Read once: changes that are written meanwhile are
-- logged, and read by the next tick.
-- in:  {places}
-- out: places
create temporary table pg_temp.places on commit drop as
{places};


-- name: normalized
-- Creates the temporary table of the canonical forms of spellings: one row without a form, if a spelling has none. It is dropped at
-- the end of the transaction.
create temporary table pg_temp.normalized on commit drop as
select
    null::text as kind,
    null::text as value,
    null::smallint as ordinal,
    null::text as identifier
with no data;


-- name: changed_identifiers
-- Creates the temporary table of identifiers whose holders may have changed; it is dropped at the end of the transaction.
create temporary table pg_temp.touched_identifiers on commit drop as
select null::text as identifier
with no data;


-- name: identifiers
-- identifiers: one row per source of an identifier (a record of the application, or a decision), with its canonical form.
-- in:  keys; places: the current spellings; normalized: canonical forms of new spellings; %(version)s: that of the canonical
--      forms; %(written_at)s: when the oldest change was made, or null
-- out: queries of a statement: different; touched: the former and current identifiers of these sources;
--      participant_resolutions_changes: contact methods and conversations whose identifier changed, or has other holders
wanted as (
    select
        place.*,
        coalesce(normalized.ordinal, known.ordinal, 1) as ordinal,
        coalesce(normalized.identifier, known.identifier, place.otherwise) as identifier
    from places as place
    left join normalized on normalized.kind = place.kind and normalized.value = place.value
    left join analytics.identifiers as known
        on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind
            and known.value = place.value and known.version = %(version)s and normalized.kind is null
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
        ordinal,
        wanted.value,
        wanted.identifier,
        wanted.person_id,
        wanted.client_id,
        (wanted.value, wanted.identifier, wanted.person_id, wanted.client_id)
        is distinct from (present.value, present.identifier, present.person_id, present.client_id) as is_news,
        array_remove(
            array[
                case when wanted.person_id is not null then wanted.identifier end,
                case when present.person_id is not null then present.identifier end
            ],
            null
        ) as held
    from wanted
    full join present using (source, source_id, kind, ordinal)
    where (wanted.value, wanted.identifier, wanted.person_id, wanted.client_id, %(version)s::text)
        is distinct from (present.value, present.identifier, present.person_id, present.client_id, present.version)
    order by source_id
),

saved as (
    insert into analytics.identifiers as target (
        source, source_id, kind, ordinal, value, identifier, person_id, client_id, version
    )
    select
        source,
        source_id,
        kind,
        ordinal,
        value,
        identifier,
        person_id,
        client_id,
        %(version)s
    from different
    where value is not null
    on conflict (source_id, source, kind, ordinal) do update set
        value = excluded.value,
        identifier = excluded.identifier,
        person_id = excluded.person_id,
        client_id = excluded.client_id,
        version = excluded.version
),

removed as (
    delete from analytics.identifiers as target
    using different
    where target.source = different.source
        and target.source_id = different.source_id
        and target.kind = different.kind
        and target.ordinal = different.ordinal
        and different.value is null
),

changed as materialized (
    select
        source,
        source_id
    from different
    where is_news
    union
    select
        source,
        source_id
    from analytics.identifiers
    where identifier in (select unnest(held) from different where is_news) and source in ('contact_method', 'conversation')
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
);


-- name: identified
-- Writes the identifiers of the sources.
-- in:  {queries}: those that write; keys; places; normalized
-- out: touched_identifiers; one row: identifiers (how many were different)
with {queries},

kept as (
    insert into touched_identifiers (identifier)
    select identifier from touched
)

select count(*) as identifiers from different
where is_news;


-- name: identified_few
-- Writes the identifiers of a few sources.
-- in:  {given}: the keys; {queries}: those that write; %(places)s: jsonb, the current spellings; %(normalized)s: jsonb, the
--      canonical forms of new ones
-- out: one row: touched (identifiers whose contact methods have to be resolved anew)
with keys as materialized (
{given}
),

places as materialized (
    select * from jsonb_to_recordset(%(places)s::jsonb) as place (
        source text, source_id uuid, kind text, value text, otherwise text, person_id uuid, client_id uuid
    )
),

normalized as materialized (
    select * from jsonb_to_recordset(%(normalized)s::jsonb) as normalized (
        kind text, value text, ordinal smallint, identifier text
    )
),

{queries}

select array_agg(identifier) as touched from touched;


-- name: values
-- The spellings without a known canonical form of this version.
-- in:  places; %(version)s; %(renormalize)s: those with one, too
-- out: kind, value; each once
select distinct
    place.kind,
    place.value
from places as place
left join analytics.identifiers as known
    on known.source_id = place.source_id and known.source = place.source and known.kind = place.kind and known.ordinal = 1
        and known.value = place.value and known.version = %(version)s
where known.value is null or %(renormalize)s;
