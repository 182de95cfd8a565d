-- people_conversations: a person is in a conversation if a contact method of theirs, or resolved to be theirs, is
-- recipient of any of its messages, or if they are the one its session id names. A resolved participant never takes
-- a conversation that belongs to one client to a person of another; one that the application set does.
-- in:  touched: conversations
-- out: one row: inserted, updated (always 0), deleted, unchanged
with changed as materialized (
    select
        conversation.id,
        coalesce(crew.client_id, conversation.client_id) as client_id
    from app.conversations as conversation
    inner join touched on touched.id = conversation.id
    left join app.crews as crew on crew.id = conversation.crew_id
),

participants as (
    select distinct
        changed.id as conversation_id,
        changed.client_id,
        recipient.contact_method_id
    from changed
    inner join app.messages as message on message.conversation_id = changed.id
    inner join app.message_recipients as recipient on recipient.message_id = message.id
),

wanted as (
    select
        participants.conversation_id,
        resolution.person_id
    from participants
    inner join analytics.participant_resolutions as resolution using (contact_method_id)
    inner join app.people as person on person.id = resolution.person_id
    where resolution.method = 'manual'
        or participants.client_id is null
        or participants.client_id = person.client_id
    union
    select
        changed.id,
        resolution.person_id
    from changed
    inner join analytics.session_resolutions as resolution on resolution.conversation_id = changed.id
    where resolution.person_id is not null
),

present as (
    select link.* from analytics.people_conversations as link
    inner join changed on changed.id = link.conversation_id
),

different as materialized (
    select
        conversation_id,
        person_id,
        present.id
    from wanted
    full join present using (conversation_id, person_id)
    where wanted.person_id is null or present.person_id is null
    order by conversation_id  -- compared before the first insert: never with a table that grows meanwhile
),

created as (
    insert into analytics.people_conversations (person_id, conversation_id)
    select
        person_id,
        conversation_id
    from different
    where id is null
    on conflict (person_id, conversation_id) do nothing
    returning 1
),

removed as (
    delete from analytics.people_conversations as target
    using different
    where target.id = different.id
    returning 1
)

select
    (select count(*) from created) as inserted,
    0::bigint as updated,
    (select count(*) from removed) as deleted,
    (select count(*) from present) - (select count(*) from removed) as unchanged;
