-- session_resolutions: whom the session ids of crews' conversations name, among the persons of the crew's client.
-- in:  touched_identifiers: conversations whose session id is one of these identifiers;
--      %(window_start)s, %(window_end)s: those whose row or crew was updated in it, half-open;
--      %(by_activity)s: and those started in it
-- out: one row: inserted, updated, deleted, unchanged
with touched_sessions as (
    select conversation_id as id from analytics.identifiers
    where identifier in (select identifier from touched_identifiers) and conversation_id is not null
    union
    select id from app.conversations
    where updated_at >= %(window_start)s::timestamptz and updated_at < %(window_end)s::timestamptz
        or %(by_activity)s
        and started_at >= %(window_start)s::timestamptz and started_at < %(window_end)s::timestamptz
    union
    select conversation.id
    from app.crews as crew
    inner join app.conversations as conversation on conversation.crew_id = crew.id
    where crew.updated_at >= %(window_start)s::timestamptz and crew.updated_at < %(window_end)s::timestamptz
    union
    select conversation_id from analytics.session_resolutions
    where candidate_count = 1 and person_id is null  -- the person was deleted
),

sessions as materialized (
    select
        conversation.id,
        crew.client_id,
        place.identifier
    from touched_sessions
    inner join app.conversations as conversation on conversation.id = touched_sessions.id
    inner join app.crews as crew on crew.id = conversation.crew_id
    inner join analytics.identifiers as place on place.place_id = conversation.id and place.kind = 'session'
    where place.identifier is not null
),

holders as (
    select
        place.identifier,
        person.id as person_id,
        person.client_id
    from analytics.identifiers as place
    left join app.contact_methods as contact on contact.id = place.contact_method_id
    inner join app.people as person on person.id = coalesce(place.person_id, contact.person_id)
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
        wanted.candidate_count
    from touched_sessions
    left join wanted on wanted.conversation_id = touched_sessions.id
    left join analytics.session_resolutions as present on present.conversation_id = touched_sessions.id
    where (wanted.conversation_id, wanted.person_id, wanted.candidate_count)
        is distinct from (present.conversation_id, present.person_id, present.candidate_count)
    order by touched_sessions.id
),

saved as (
    insert into analytics.session_resolutions as target (conversation_id, person_id, candidate_count)
    select * from different
    where candidate_count is not null
    on conflict (conversation_id) do update set
        person_id = excluded.person_id,
        candidate_count = excluded.candidate_count,
        resolved_at = now()
    returning target.xmax = 0 as is_new
),

removed as (
    delete from analytics.session_resolutions as target
    using different
    where target.conversation_id = different.conversation_id and different.candidate_count is null
    returning 1
)

select
    (select count(*) from saved where is_new) as inserted,
    (select count(*) from saved where not is_new) as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from sessions) - (select count(*) from saved) as unchanged;
