-- session_resolutions: whom the session ids of crews' conversations name, among the persons of the conversation's client.
-- in:  keys: places; touched_identifiers: conversations whose session id is one of these identifiers
-- out: different_sessions; one row: present (resolutions before)
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

candidates as (
    select
        identifier,
        client_id,
        count(distinct person_id) as candidate_count,
        min(person_id::text)::uuid as any_person_id
    from analytics.identifier_holders
    where identifier in (select identifier from sessions)
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

present as (
    select conversation_id, person_id, candidate_count from analytics.session_resolutions
    where conversation_id in (select id from touched_sessions)
),

compared as (
    insert into different_sessions (change, conversation_id, person_id, candidate_count)
    select
        case
            when present.conversation_id is null then 'inserted'
            when wanted.conversation_id is null then 'deleted'
            else 'updated'
        end,
        conversation_id,
        wanted.person_id,
        wanted.candidate_count
    from wanted
    full join present using (conversation_id)
    where wanted is distinct from present
)

select count(*) as present from present;
