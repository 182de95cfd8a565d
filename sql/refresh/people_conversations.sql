-- people_conversations: a person is in a conversation if a contact method of theirs, or resolved to be theirs, is
-- recipient of any of its messages, or if they are the one its session id names. A resolved participant never takes
-- a conversation that belongs to one client to a person of another; one that the application sets does.
-- in:  keys: conversations
-- out: different; one row: present (links before)
with subject as materialized (
    select
        conversation.id,
        owner.client_id
    from app.conversations as conversation
    inner join keys on keys.id = conversation.id
    inner join analytics.conversation_owners as owner on owner.conversation_id = conversation.id
),

participants as (
    select distinct
        subject.id as conversation_id,
        subject.client_id,
        recipient.contact_method_id
    from subject
    inner join app.messages as message on message.conversation_id = subject.id
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
        subject.id,
        person.id
    from subject
    inner join analytics.session_resolutions as resolution on resolution.conversation_id = subject.id
    inner join app.people as person on person.id = resolution.person_id
),

present as (
    select link.* from analytics.people_conversations as link
    inner join keys on keys.id = link.conversation_id
),

compared as (
    insert into different (change, day, person_id, conversation_id)
    select
        case when present.person_id is null then 'inserted' else 'deleted' end,
        (conversation.started_at at time zone 'UTC')::date,
        person_id,
        conversation_id
    from wanted
    full join present using (person_id, conversation_id)
    left join app.conversations as conversation on conversation.id = conversation_id
    where wanted.person_id is null or present.person_id is null
)

select count(*) as present from present;
