-- session_resolutions: whom the session ids of crews' conversations name, among the persons of the conversation's client.
-- in:  keys: places; touched_identifiers: conversations whose session id is one of these identifiers
-- out: changed; conversation_changes; one row: present (resolutions before)
with touched_sessions as (
    select place_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and place = 'conversation'
    union
    select id from keys
    where place = 'conversation'
),

sessions as materialized (
    select
        owner.conversation_id as id,
        owner.client_id,
        place.identifier
    from touched_sessions
    inner join analytics.conversation_owners as owner on owner.conversation_id = touched_sessions.id
    inner join analytics.identifiers as place on place.place_id = touched_sessions.id and place.place = 'conversation'
    where place.identifier is not null
),

holders as (
    select
        place.identifier,
        person.id as person_id,
        person.client_id
    from analytics.identifiers as place
    inner join app.people as person on person.id = place.person_id
    where place.identifier in (select identifier from sessions)
),

candidates as (
    select
        identifier,
        client_id,
        count(distinct person_id) as candidate_count,
        min(person_id::text)::uuid as any_person_id
    from holders
    group by identifier, client_id
),

wanted as (
    select
        sessions.id as conversation_id,
        case when candidate_count = 1 then any_person_id end as person_id,
        coalesce(candidate_count, 0) as candidate_count
    from sessions
    left join candidates using (identifier, client_id)
),

different as materialized (
    select
        touched_sessions.id as conversation_id,
        wanted.person_id,
        wanted.candidate_count,
        present.conversation_id is null as is_new
    from touched_sessions
    left join wanted on wanted.conversation_id = touched_sessions.id
    left join analytics.session_resolutions as present on present.conversation_id = touched_sessions.id
    where (wanted.conversation_id, wanted.person_id, wanted.candidate_count)
        is distinct from (present.conversation_id, present.person_id, present.candidate_count)
    order by touched_sessions.id
),

saved as (
    insert into analytics.session_resolutions as target (conversation_id, person_id, candidate_count)
    select
        conversation_id,
        person_id,
        candidate_count
    from different
    where candidate_count is not null
    on conflict (conversation_id) do update set
        person_id = excluded.person_id,
        candidate_count = excluded.candidate_count,
        resolved_at = now()
),

removed as (
    delete from analytics.session_resolutions as target
    using different
    where target.conversation_id = different.conversation_id and different.candidate_count is null
),

passed_on as (
    insert into analytics.conversation_changes (source, conversation_id, operation)
    select
        'participant_resolutions',
        conversation_id,
        'update'
    from different
),

noted as (
    insert into changed (kind, id)
    select
        case when candidate_count is null then 'deleted' when is_new then 'inserted' else 'updated' end,
        conversation_id
    from different
)

select count(*) as present
from analytics.session_resolutions
where conversation_id in (select id from touched_sessions);
