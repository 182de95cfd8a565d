-- people_conversations: a person is in a conversation if a contact method of theirs, or resolved to be theirs, is
-- recipient of any of its messages, or if they are the one its session id names. A resolved participant never takes
-- a conversation that belongs to one client to a person of another; one that the application sets does.
-- in:  keys: conversations
-- out: changed; conversation_changes, by triggers; one row: present (links before)
with subject as materialized (
    select
        conversation.id,
        conversation.started_at,
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
),

removed as (
    delete from analytics.people_conversations as target
    using different
    where target.id = different.id
),

noted as (
    insert into changed (kind, day, id)
    select
        case when different.id is null then 'inserted' else 'deleted' end,
        (subject.started_at at time zone 'UTC')::date,
        different.conversation_id
    from different
    left join subject on subject.id = different.conversation_id
)

select count(*) as present from present;
